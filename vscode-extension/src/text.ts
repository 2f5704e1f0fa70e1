/** "1234567:2" becomes "1,234,567:2". */
export function withThousands(position: string | number): string {
    const [count, event] = String(position).split(':');
    const text = count.replace(/\B(?=(\d{3})+$)/g, ',');
    return event === undefined ? text : `${text}:${event}`;
}

/** "12.3 MiB". */
export function sizeText(bytes: number): string {
    const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
    let unit = 0, size = bytes;
    for (; size >= 1024 && unit < units.length - 1; unit++) size /= 1024;
    return `${unit === 0 || Number.isInteger(size) ? size : size.toFixed(size < 10 ? 2 : 1)} ${units[unit]}`;
}

/** Guest time in the unit that reads best. */
export function timeText(nanoseconds: number, digits = 3): string {
    if (nanoseconds >= 1e9) return `${(nanoseconds / 1e9).toFixed(digits)} s`;
    if (nanoseconds >= 1e6) return `${(nanoseconds / 1e6).toFixed(digits)} ms`;
    if (nanoseconds >= 1e3) return `${(nanoseconds / 1e3).toFixed(digits)} µs`;
    return `${Math.round(nanoseconds)} ns`;
}

export function messageOf(error: unknown): string { return error instanceof Error ? error.message : String(error); }

/** How many single-character edits lead from one word to the other. */
export function editDistance(a: string, b: string): number {
    let row = Array.from({ length: b.length + 1 }, (_, i) => i);
    for (let i = 1; i <= a.length; i++) {
        const next = [i];
        for (let j = 1; j <= b.length; j++)
            next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
        row = next;
    }
    return row[b.length];
}
