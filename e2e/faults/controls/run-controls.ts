export async function runControls(_say: (line: string) => void): Promise<number> {
  return 0;
}
