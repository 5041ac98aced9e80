/**
 * Lets the process go on when the reader of its standard output or standard error is gone (`npm start | head -3`).
 * Without a listener the next line would end the process with EPIPE, before it has drained and stopped its database.
 */
export function outliveOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    });
  }
}
