import type { TtvmLockHistory, TtvmTimeline, TtvmTimelineMarker } from '../protocol';
import { timeText, withThousands } from '../text';
import type { ViewState } from '../views/messages';
import { failure, h, latest, noSession, request, root, start } from './page';
import { countOf, type LockLane, type Row, ROW_HEIGHT, rowsOf, TimelineCanvas, type Window } from './timelineCanvas';

// The Timeline: lanes of the vCPUs, events and things with a name between two positions. Everything shown is an answer to ttvm/timeline for the window that is
// visible; zooming and panning ask again.

/** Closer than this, one instruction is wider than a finger. */
const SMALLEST_WINDOW = 20;
const ZOOM = 1.4;

let state: ViewState | undefined;
let timeline: TtvmTimeline | undefined;
/** What is shown; undefined is the whole recording. */
let shown: Window | undefined;
/** The position under the mouse, or the one that the keys move. */
let probe: number | undefined;
/** Address of the lock that has a lane. */
let lock: string | undefined;
let lane: LockLane | undefined;

const canvas = new TimelineCanvas();
const markers = h('div', { class: 'markers' });
const tip = h('div', { class: 'tip', role: 'tooltip', hidden: true });
const probeLine = h('div', { class: 'probe', hidden: true });
const cursor = h('div', { class: 'cursor', 'aria-hidden': 'true' });
const plot = h('div', { class: 'plot', role: 'slider', tabindex: 0, 'aria-label': 'Timeline of the recording', onkeydown: onKey }, canvas.element, markers, probeLine, cursor);
const labels = h('div', { class: 'labels', 'aria-hidden': 'true' });
const note = h('span', { class: 'note', role: 'status' });
const button = (title: string, text: string, action: () => void) => h('button', { class: 'icon', title, 'aria-label': title, onclick: action }, text);
const legend = h('div', { class: 'bar' }, button('Zoom in (+)', '+', () => zoom(1 / ZOOM)), button('Zoom out (-)', '−', () => zoom(ZOOM)),
    button('Whole recording (0)', 'All', () => show(undefined)), button('To the present position (P)', 'Now', showPresent), note);
const page = h('div', { class: 'timeline' }, legend, h('div', { class: 'tracks' }, labels, plot), tip);

const refresh = latest(async () => {
    // What a guest that lives does now is seen when it stops.
    if (!state?.session || !state.position || !state.isStopped && state.position.isLive) return;
    const width = Math.max(50, plot.clientWidth || 600);
    try {
        const from = shown && String(Math.round(shown.from)), to = shown && String(Math.round(shown.to));
        const bucketCount = Math.min(600, Math.ceil(width / 2));
        timeline = await request<TtvmTimeline>('ttvm/timeline', { from, to, bucketCount });
        lane = lock === undefined ? undefined : await laneOf(lock, timeline, bucketCount);
        draw();
    } catch (error) {
        timeline = undefined;
        root.replaceChildren(failure(error));
    }
});

async function laneOf(address: string, { from, to }: TtvmTimeline, bucketCount: number): Promise<LockLane> {
    const { buckets, locks } = await request<TtvmLockHistory>('ttvm/lockHistory', { lock: address, from: String(from), to: String(to), count: 0, bucketCount });
    return { name: locks[0]?.name ?? address, address, from, to, buckets };
}

/** Gives a lock a lane, or takes it away. */
function showLock(address: string | undefined): void {
    [lock, lane] = [address, undefined];
    if (timeline) draw();
    refresh();
}

function onState(next: ViewState): void {
    const isNew = state?.session !== next.session || state?.position?.recording !== next.position?.recording;
    const first = timeline === undefined;
    state = next;
    if (isNew) [timeline, shown, probe, lock, lane] = [undefined, undefined, undefined, undefined, undefined];
    if (!next.session) {
        root.replaceChildren(noSession('The Timeline shows a whole recording: what each vCPU did, interrupts, faults, system calls, and what the guest printed. Click to go there.'));
        return;
    }
    if (!next.position) return;
    // A move changes the cursor only, except where the recording still grows.
    if (isNew || first || next.change === 'timeline' || (next.change === 'locks' && lock !== undefined) || next.change === 'session' || next.position.isLive) refresh();
    if (timeline) draw();
}

function visible(): Window { return shown ?? { from: countOf(timeline!.start), to: Math.max(countOf(timeline!.end), countOf(timeline!.start) + 1) }; }

function draw(): void {
    if (!timeline || !state?.position) return;
    if (!page.isConnected) root.replaceChildren(page);
    const rows = rowsOf(timeline, state.hits, lane);
    labels.replaceChildren(...rows.map(labelOf));
    plot.style.height = `${rows.length * ROW_HEIGHT}px`;
    const view = visible();
    canvas.draw(timeline, rows, view, plot.clientWidth);
    markers.replaceChildren(...rows.flatMap((row, i) => row.markers.map(marker => markerElement(marker, i, view))).filter(each => each !== undefined));
    place(cursor, countOf(state.position.position), view);
    plot.setAttribute('aria-valuemin', String(countOf(timeline.start)));
    plot.setAttribute('aria-valuemax', String(countOf(timeline.end)));
    plot.setAttribute('aria-valuenow', String(countOf(state.position.position)));
    plot.setAttribute('aria-valuetext', `${withThousands(state.position.position)} instructions, ${timeText(state.position.guestNanoseconds)}`);
    note.textContent = noteText(view);
    drawProbe();
}

function labelOf(row: Row): HTMLElement {
    const close = row.lock && h('button', { class: 'link', title: 'Take the lane away', 'aria-label': 'Take the lane away', onclick: () => showLock(undefined) }, '×');
    return h('div', { class: row.isAxis ? 'label axis' : 'label', title: row.title }, close, close ? ` ${row.label}` : row.label);
}

function noteText(view: Window): string {
    const count = Math.round(view.to - view.from);
    const span = `${withThousands(count)} instruction${count === 1 ? '' : 's'} shown, ${timeText(timeline!.toNanoseconds - timeline!.fromNanoseconds, 1)} of guest time`;
    if (timeline!.isComplete) return span;
    const known = timeline!.buckets.filter(bucket => bucket.isKnown).length;
    return `${span}; reading the recording, ${Math.floor(100 * known / Math.max(1, timeline!.buckets.length))}% known`;
}

function place(element: HTMLElement, count: number, view: Window): void {
    const at = (count - view.from) / (view.to - view.from);
    element.hidden = at < 0 || at > 1;
    element.style.left = `${at * 100}%`;
}

function markerElement(marker: TtvmTimelineMarker, row: number, view: Window): HTMLElement | undefined {
    const at = (countOf(marker.position) - view.from) / (view.to - view.from);
    if (at < 0 || at > 1) return undefined;
    const text = `${marker.text || marker.kind}, at ${withThousands(marker.position)}`;
    const element = h('button', { class: `marker ${marker.kind}`, 'aria-label': text, 'data-position': marker.position, tabindex: -1 });
    element.style.left = `${at * 100}%`;
    element.style.top = `${row * ROW_HEIGHT}px`;
    element.addEventListener('click', event => {
        event.stopPropagation();
        seek(marker.position);
    });
    element.addEventListener('mouseenter', () => showTip(element, `${withThousands(marker.position)}${marker.count > 1 ? ` (${marker.count} here)` : ''}`, marker.text || marker.kind));
    element.addEventListener('mouseleave', () => { tip.hidden = true; });
    return element;
}

function seek(position: string): void {
    tip.hidden = true;
    void request('ttvm/seek', { position }).catch((error: Error) => { note.textContent = error.message; });
}

// ---- Zooming and panning.

function show(next: Window | undefined): void {
    shown = next;
    if (timeline) draw();
    refresh();
}

function zoom(factor: number, around?: number): void {
    if (!timeline) return;
    const view = visible(), first = countOf(timeline.start), last = countOf(timeline.end);
    const center = around ?? probe ?? countOf(state!.position!.position);
    const pivot = center >= view.from && center <= view.to ? center : (view.from + view.to) / 2;
    const size = Math.max(SMALLEST_WINDOW, (view.to - view.from) * factor);
    if (size >= last - first) return show(undefined);
    const from = pivot - (pivot - view.from) * (size / (view.to - view.from));
    pan(from, size);
}

function pan(from: number, size: number): void {
    const first = countOf(timeline!.start), last = countOf(timeline!.end);
    const begin = Math.min(Math.max(first, from), Math.max(first, last - size));
    show({ from: begin, to: begin + size });
}

function showPresent(): void {
    if (!timeline || !state?.position) return;
    const view = visible(), size = view.to - view.from;
    if (shown) pan(countOf(state.position.position) - size / 2, size);
}

function onKey(event: KeyboardEvent): void {
    if (!timeline || event.ctrlKey || event.altKey || event.metaKey) return;
    const view = visible(), size = view.to - view.from, step = size / (event.shiftKey ? 10 : 100);
    const from = probe ?? countOf(state!.position!.position);
    switch (event.key) {
        case '+': case '=': zoom(1 / ZOOM); break;
        case '-': zoom(ZOOM); break;
        case '0': show(undefined); break;
        case 'p': showPresent(); break;
        case 'PageUp': pan(view.from - size / 2, size); break;
        case 'PageDown': pan(view.from + size / 2, size); break;
        case 'ArrowLeft': moveProbe(from - step); break;
        case 'ArrowRight': moveProbe(from + step); break;
        case 'Home': moveProbe(view.from); break;
        case 'End': moveProbe(view.to); break;
        case 'Enter': case ' ': if (probe !== undefined) seek(String(Math.round(probe))); break;
        case 'Escape': probe = undefined; drawProbe(); break;
        default: return;
    }
    event.preventDefault();
}

function moveProbe(to: number): void {
    const view = visible();
    probe = Math.min(Math.max(to, countOf(timeline!.start)), countOf(timeline!.end));
    if (probe < view.from || probe > view.to) pan(probe - (view.to - view.from) / 2, view.to - view.from);
    drawProbe();
    const { left, width, top } = plot.getBoundingClientRect();
    showTipAt(left + (probe - visible().from) / (visible().to - visible().from) * width, top, ...describe(probe));
}

function drawProbe(): void {
    if (probe === undefined || !timeline) {
        probeLine.hidden = tip.hidden = true;
        return;
    }
    place(probeLine, probe, visible());
    // What is said there may be known only now.
    if (!tip.hidden && !tip.dataset.marker) fillTip(...describe(probe));
}

// ---- The mouse.

function countAt(event: MouseEvent): number {
    const { left, width } = plot.getBoundingClientRect(), view = visible();
    return view.from + Math.min(1, Math.max(0, (event.clientX - left) / width)) * (view.to - view.from);
}

/** Position, time and what happened about there. */
function describe(count: number): [string, string] {
    const { from, to, fromNanoseconds, toNanoseconds, buckets } = timeline!;
    const part = (count - from) / Math.max(1, to - from);
    const time = timeText(fromNanoseconds + part * (toNanoseconds - fromNanoseconds));
    const bucket = buckets[Math.min(buckets.length - 1, Math.floor(part * buckets.length))];
    const lines: string[] = [];
    if (bucket && !bucket.isKnown) lines.push('not read yet');
    else if (bucket) {
        const total = bucket.instructions.reduce((sum, each) => sum + each, 0);
        bucket.instructions.forEach((each, cpu) => { if (each > 0) lines.push(`vCPU ${cpu}: ${Math.round(100 * each / total)}%`); });
        const events: [number, string][] = [[bucket.exceptions, 'exception'], [bucket.interrupts, 'interrupt'], [bucket.systemCalls, 'system call'], [bucket.contextSwitches, 'context switch']];
        for (const [number, name] of events) if (number > 0) lines.push(`${number} ${name}${number === 1 ? '' : name.endsWith('switch') ? 'es' : 's'}`);
    }
    if (lane) lines.push(...describeLock(lane, count));
    return [`${withThousands(Math.round(count))} · ${time}`, lines.join('\n')];
}

function describeLock({ name, from, to, buckets }: LockLane, count: number): string[] {
    const bucket = buckets[Math.min(buckets.length - 1, Math.floor((count - from) / Math.max(1, to - from) * buckets.length))];
    if (!bucket) return [];
    const size = (to - from) / buckets.length;
    const holders = bucket.held.flatMap((held, cpu) => held > 0 ? [`held by vCPU ${cpu}: ${Math.round(100 * held / size)}%`] : []);
    return [`${name}: ${holders.join(', ') || (bucket.isKnown ? 'free' : 'not known yet')}`, ...(bucket.waiters > 0 ? [`up to ${bucket.waiters} waiting`] : []),
        ...(bucket.nesting > 0 ? [`inside ${bucket.nesting} other locks`] : [])];
}

function showTip(over: HTMLElement, title: string, text: string): void {
    const { left, bottom } = over.getBoundingClientRect();
    showTipAt(left, bottom, title, text);
    tip.dataset.marker = 'true';
}

function fillTip(title: string, text: string): void { tip.replaceChildren(h('strong', {}, title), ...text.split('\n').map(line => h('div', {}, line))); }

function showTipAt(x: number, y: number, title: string, text: string): void {
    fillTip(title, text);
    delete tip.dataset.marker;
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(x + 12, window.innerWidth - width - 4))}px`;
    tip.style.top = `${Math.max(4, Math.min(y + 14, window.innerHeight - height - 4))}px`;
}

let drag: { x: number; from: number; moved: boolean } | undefined;
plot.addEventListener('mousedown', event => {
    if (timeline && event.button === 0 && !(event.target as Element).closest('.marker')) drag = { x: event.clientX, from: visible().from, moved: false };
});
window.addEventListener('mousemove', event => {
    if (!timeline || !page.isConnected) return;
    if (drag && Math.abs(event.clientX - drag.x) > 4) drag.moved = true;
    if (drag?.moved && shown) {
        const size = shown.to - shown.from;
        pan(drag.from - (event.clientX - drag.x) / plot.clientWidth * size, size);
    }
    if ((event.target as Element).closest?.('.marker')) return;
    if (!plot.contains(event.target as Node)) {
        if (probe !== undefined) { probe = undefined; drawProbe(); }
        return;
    }
    probe = countAt(event);
    drawProbe();
    showTipAt(event.clientX, event.clientY, ...describe(probe));
});
window.addEventListener('mouseup', event => {
    const wasClick = drag && !drag.moved && plot.contains(event.target as Node);
    drag = undefined;
    if (timeline && wasClick) seek(String(Math.round(countAt(event))));
});
plot.addEventListener('wheel', event => {
    if (!timeline) return;
    event.preventDefault();
    const view = visible(), size = view.to - view.from;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        if (shown) pan(view.from + (event.deltaX || event.deltaY) / plot.clientWidth * size, size);
    } else zoom(event.deltaY < 0 ? 1 / ZOOM : ZOOM, countAt(event));
}, { passive: false });

new ResizeObserver(() => { if (timeline) { draw(); refresh(); } }).observe(root);
new MutationObserver(() => draw()).observe(document.body, { attributes: true, attributeFilter: ['class'] });
start(onState, showLock);
