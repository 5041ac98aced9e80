/** A sleep that can be cut short. A wake that comes while nobody sleeps is remembered, so that none is lost. */
export class Wakeup {
  private rung = false;
  private rouse: (() => void) | undefined;

  /** Ends the sleep under way, or the next one before it begins. */
  wake(): void {
    this.rung = true;
    this.rouse?.();
  }

  /** Resolves after so many milliseconds, or sooner when woken. One sleeper at a time. */
  async sleep(ms: number): Promise<void> {
    if (!this.rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.rouse = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.rung = false;
    this.rouse = undefined;
  }
}
