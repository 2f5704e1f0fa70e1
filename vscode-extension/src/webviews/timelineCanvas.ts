import type { Position, TimelineKind, TtvmLockBucket, TtvmTimeline, TtvmTimelineBucket, TtvmTimelineMarker } from '../protocol';
import { timeText, withThousands } from '../text';
import { h } from './page';

/** A stretch of the recording, in instructions. */
export interface Window { from: number; to: number }

/** A row of the Timeline: an axis, a vCPU, a kind of event, or things with a name. */
export interface Row {
    label: string;
    title: string;
    isAxis?: 'instructions' | 'time';
    cpu?: number;
    /** A lock: who held it, and how many waited. */
    lock?: LockLane;
    /** How many events of the row's kind. */
    density?: (bucket: TtvmTimelineBucket) => number;
    color: string;
    markers: TtvmTimelineMarker[];
}

/** What became of a lock in a stretch, in parts of equal instruction counts. */
export interface LockLane { name: string; address: string; from: number; to: number; buckets: TtvmLockBucket[] }

export const ROW_HEIGHT = 18;

/** Instructions before a position. They fit into a number: a recording of 2^53 instructions would take years. */
export function countOf(position: Position): number { return Number(position.split(':')[0]); }

const EVENTS: { kind: TimelineKind; label: string; density?: (bucket: TtvmTimelineBucket) => number; color: string; title: string }[] = [
    { kind: 'exception', label: 'Faults', density: bucket => bucket.exceptions, color: '--vscode-charts-red', title: 'Exceptions and faults' },
    { kind: 'interrupt', label: 'Interrupts', density: bucket => bucket.interrupts, color: '--vscode-charts-yellow', title: 'Interrupts delivered' },
    { kind: 'systemCall', label: 'System calls', density: bucket => bucket.systemCalls, color: '--vscode-charts-green', title: 'System calls' },
    { kind: 'contextSwitch', label: 'Switches', density: bucket => bucket.contextSwitches, color: '--vscode-charts-purple', title: 'Context switches: another address space' },
    { kind: 'consoleLine', label: 'Console', color: '--vscode-charts-blue', title: 'Lines that the guest printed' },
    { kind: 'input', label: 'Inputs', color: '--vscode-terminal-ansiMagenta', title: 'What came from outside: keys, disks, clocks' }
];
const CPU_COLORS = ['--vscode-charts-blue', '--vscode-charts-green', '--vscode-terminal-ansiCyan', '--vscode-charts-purple'];

/** Rows that have something to show; vCPUs always. */
export function rowsOf(timeline: TtvmTimeline, hits: Position[], lock?: LockLane): Row[] {
    const rows: Row[] = [
        { label: 'Instructions', title: 'Instructions retired by all vCPUs', isAxis: 'instructions', color: '', markers: [] },
        { label: 'Guest time', title: 'Time as the guest sees it', isAxis: 'time', color: '', markers: [] }
    ];
    for (let cpu = 0; cpu < timeline.cpuCount; cpu++)
        rows.push({ label: `vCPU ${cpu}`, title: `When vCPU ${cpu} had its turn`, cpu, color: CPU_COLORS[cpu % CPU_COLORS.length], markers: [] });
    if (lock) rows.push({ label: lock.name, title: `${lock.name}: below the line who held it, thicker inside other locks; above it how many waited`, lock, color: '', markers: [] });
    for (const { kind, label, density, color, title } of EVENTS) {
        const markers = timeline.markers.filter(marker => marker.kind === kind);
        if (markers.length > 0 || (density && timeline.buckets.some(bucket => density(bucket) > 0)) || kind === 'consoleLine') rows.push({ label, title, density, color, markers });
    }
    const bookmarks = timeline.markers.filter(marker => marker.kind === 'bookmark');
    if (bookmarks.length > 0) rows.push({ label: 'Bookmarks', title: 'Positions that you named', color: '--vscode-charts-foreground', markers: bookmarks });
    if (hits.length > 0) {
        const stops = hits.map(position => ({ kind: 'hit' as TimelineKind, position, count: 1, text: 'A breakpoint stopped here' }));
        rows.push({ label: 'Breakpoints', title: 'Where breakpoints stopped this session', color: '--vscode-debugIcon-breakpointForeground', markers: stops });
    }
    return rows;
}

/** Draws what is too much for elements: axes, lanes and densities. */
export class TimelineCanvas {
    readonly element = h('canvas', { class: 'lanes', 'aria-hidden': 'true' });

    draw(timeline: TtvmTimeline, rows: Row[], view: Window, width: number): void {
        const ratio = window.devicePixelRatio || 1, height = rows.length * ROW_HEIGHT;
        this.element.width = Math.max(1, Math.round(width * ratio));
        this.element.height = Math.max(1, Math.round(height * ratio));
        this.element.style.height = `${height}px`;
        const context = this.element.getContext('2d')!;
        context.scale(ratio, ratio);
        context.clearRect(0, 0, width, height);
        const style = getComputedStyle(document.body);
        const color = (name: string, otherwise: string) => style.getPropertyValue(name).trim() || otherwise;
        const foreground = color('--vscode-foreground', '#888'), line = color('--vscode-editorIndentGuide-background1', color('--vscode-panel-border', '#8884'));
        context.font = `11px ${style.fontFamily}`;
        const x = (count: number) => (count - view.from) / (view.to - view.from) * width;
        rows.forEach((row, i) => {
            const top = i * ROW_HEIGHT;
            if (row.isAxis) this.drawAxis(context, timeline, row.isAxis, view, width, top, height, foreground, line);
            else if (row.cpu !== undefined) drawLane(context, timeline, row.cpu, color(row.color, foreground), x, top, line);
            else if (row.lock) drawLock(context, row.lock, name => color(name, foreground), x, top);
            else if (row.density) drawDensity(context, timeline, row.density, color(row.color, foreground), x, top);
        });
        context.fillStyle = line;
        for (let i = 2; i <= rows.length; i++) context.fillRect(0, i * ROW_HEIGHT - 1, width, 1);
        drawUnknown(context, timeline, x, height, foreground);
    }

    private drawAxis(context: CanvasRenderingContext2D, timeline: TtvmTimeline, kind: 'instructions' | 'time', view: Window, width: number, top: number, height: number,
        foreground: string, line: string): void {
        const { from, to, fromNanoseconds, toNanoseconds } = timeline;
        const timeOf = (count: number) => fromNanoseconds + (count - from) / Math.max(1, to - from) * (toNanoseconds - fromNanoseconds);
        const [first, last] = kind === 'instructions' ? [view.from, view.to] : [timeOf(view.from), timeOf(view.to)];
        if (!(last > first)) return;
        const step = niceStep((last - first) / Math.max(2, width / 120));
        for (let tick = Math.ceil(first / step) * step; tick <= last; tick += step) {
            const at = (tick - first) / (last - first) * width;
            if (kind === 'instructions') {
                context.fillStyle = line;
                context.fillRect(Math.round(at), top, 1, height - top);
            }
            context.fillStyle = foreground;
            context.globalAlpha = 0.85;
            const text = kind === 'instructions' ? withThousands(Math.round(tick)) : tickTime(tick, step);
            const half = context.measureText(text).width / 2;
            context.fillText(text, Math.min(Math.max(at - half, 2), width - 2 * half - 2), top + 13);
            context.globalAlpha = 1;
        }
    }
}

function drawLane(context: CanvasRenderingContext2D, timeline: TtvmTimeline, cpu: number, color: string, x: (count: number) => number, top: number, line: string): void {
    context.fillStyle = line;
    context.fillRect(0, top + ROW_HEIGHT / 2, context.canvas.width, 1);
    eachBucket(timeline, x, (bucket, left, width, size) => {
        const share = (bucket.instructions[cpu] ?? 0) / size;
        if (share <= 0) return;
        // A share of the height; the smallest can still be seen.
        const tall = Math.max(2, Math.min(1, share) * (ROW_HEIGHT - 5));
        context.fillStyle = color;
        context.fillRect(left, top + (ROW_HEIGHT - tall) / 2, width, tall);
    });
}

/** Bars of the holders' colours, from the middle down as deep as the lock was nested in others; above, as tall as many waited. */
function drawLock(context: CanvasRenderingContext2D, { from, to, buckets }: LockLane, color: (name: string) => string, x: (count: number) => number, top: number): void {
    const size = (to - from) / Math.max(1, buckets.length), most = Math.max(1, ...buckets.map(bucket => bucket.waiters));
    const middle = top + ROW_HEIGHT / 2;
    buckets.forEach((bucket, i) => {
        const left = Math.floor(x(from + i * size)), width = Math.max(1, Math.floor(x(from + (i + 1) * size)) - left);
        const holder = bucket.held.indexOf(Math.max(...bucket.held));
        if (bucket.held[holder] > 0) {
            context.fillStyle = color(CPU_COLORS[holder % CPU_COLORS.length]);
            context.globalAlpha = 0.35 + 0.65 * Math.min(1, bucket.held[holder] / Math.max(1, size));
            context.fillRect(left, middle, width, Math.min(ROW_HEIGHT / 2 - 2, 4 + bucket.nesting * 2));
            context.globalAlpha = 1;
        }
        if (bucket.waiters <= 0) return;
        const tall = 2 + bucket.waiters / most * (ROW_HEIGHT / 2 - 4);
        context.fillStyle = color('--vscode-editorWarning-foreground');
        context.fillRect(left, middle - tall, width, tall);
    });
}

function drawDensity(context: CanvasRenderingContext2D, timeline: TtvmTimeline, density: (bucket: TtvmTimelineBucket) => number, color: string, x: (count: number) => number,
    top: number): void {
    const most = Math.max(1, ...timeline.buckets.map(density));
    context.fillStyle = color;
    eachBucket(timeline, x, (bucket, left, width) => {
        const count = density(bucket);
        if (count <= 0) return;
        const tall = 3 + Math.sqrt(count / most) * (ROW_HEIGHT - 7);
        context.fillRect(left, top + ROW_HEIGHT - 2 - tall, width, tall);
    });
}

/** Stripes where the recording has not been read yet. */
function drawUnknown(context: CanvasRenderingContext2D, timeline: TtvmTimeline, x: (count: number) => number, height: number, foreground: string): void {
    context.fillStyle = foreground;
    context.globalAlpha = 0.06;
    const size = (timeline.to - timeline.from) / Math.max(1, timeline.buckets.length);
    timeline.buckets.forEach((bucket, i) => {
        if (bucket.isKnown) return;
        const left = x(timeline.from + i * size);
        context.fillRect(left, 2 * ROW_HEIGHT, x(timeline.from + (i + 1) * size) - left, height);
    });
    context.globalAlpha = 1;
}

function eachBucket(timeline: TtvmTimeline, x: (count: number) => number, action: (bucket: TtvmTimelineBucket, left: number, width: number, size: number) => void): void {
    const size = (timeline.to - timeline.from) / Math.max(1, timeline.buckets.length);
    timeline.buckets.forEach((bucket, i) => {
        if (!bucket.isKnown) return;
        // Whole pixels: bars that touch leave no seam.
        const left = Math.floor(x(timeline.from + i * size)), right = Math.floor(x(timeline.from + (i + 1) * size));
        action(bucket, left, Math.max(1, right - left), Math.max(1, size));
    });
}

/** 1, 2 or 5 times a power of ten, and at least 1. */
function niceStep(rough: number): number {
    const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
    return Math.max(1, [1, 2, 5, 10].map(factor => factor * power).find(step => step >= rough) ?? 10 * power);
}

function tickTime(nanoseconds: number, step: number): string {
    if (nanoseconds === 0) return '0';
    const unit = nanoseconds >= 1e9 ? 1e9 : nanoseconds >= 1e6 ? 1e6 : nanoseconds >= 1e3 ? 1e3 : 1;
    return timeText(nanoseconds, Math.max(0, Math.ceil(-Math.log10(step / unit))));
}
