import type { ViewState } from '../views/messages';
import { failure, h, latest, noSession, remember, remembered, request, root, start } from './page';

// Memory: rows of 16 bytes from any address or expression. What changed since the last stop stands out; typing over a byte opens a diversion.

const ROW_BYTES = 16;
const FULL = 1n << 64n;

/** An address space and an offset in it. */
interface Place { prefix: string; address: bigint }

const options = remembered({ expression: 'rsp', isFollowing: true });
let state: ViewState | undefined;
let base: Place | undefined;
/** Bytes at this stop and at the one before, by address. */
let known = new Map<string, number>();
let previous = new Map<string, number>();
let stop = -1;
let selected: bigint | undefined;
let typed = '';

const address = h('input', { type: 'text', class: 'address', 'aria-label': 'Address or expression', value: options.expression, spellcheck: 'false', placeholder: 'rsp, 0xffffffff81000000, phys:0x1000' });
const note = h('span', { class: 'note', role: 'status' });
const rows = h('div', { class: 'memory', tabindex: 0, role: 'grid', 'aria-label': 'Bytes in memory', onkeydown: onKey, onwheel: onWheel });
const form = h('form', { class: 'bar', onsubmit: onSubmit }, h('label', {}, 'Address ', address), h('button', { type: 'submit' }, 'Show'),
    button('Page up', '▲', () => scroll(-rowCount())), button('Page down', '▼', () => scroll(rowCount())), note);
const page = h('div', { class: 'fill' }, form, rows);

function button(title: string, text: string, action: () => void): HTMLElement {
    return h('button', { type: 'button', class: 'icon', title, 'aria-label': title, onclick: action }, text);
}

function rowCount(): number { return Math.max(4, Math.floor(rows.clientHeight / 20) - 1 || 12); }

const refresh = latest(async () => {
    if (!state?.session || !state.isStopped) return;
    if (stop !== state.stopCount) {
        [previous, known, stop] = [known, new Map(), state.stopCount];
        if (options.isFollowing || !base) await evaluate();
    }
    if (!page.isConnected) root.replaceChildren(page);
    if (!base) return;
    const count = rowCount() * ROW_BYTES;
    try {
        const answer = await request<{ data?: string; unreadableBytes?: number }>('readMemory', { memoryReference: reference(base), offset: 0, count });
        const data = atob(answer?.data ?? '');
        for (let i = 0; i < data.length; i++) known.set(reference(at(i)), data.charCodeAt(i));
        draw(count, data.length);
    } catch (error) {
        rows.replaceChildren(failure(error));
    }
});

/** What the address box says becomes the first address. */
async function evaluate(): Promise<void> {
    const text = options.expression.trim();
    const literal = /^(phys:)?(0x[0-9a-f]+)$/i.exec(text.replace(/[_`]/g, ''));
    try {
        if (literal) base = { prefix: literal[1]?.toLowerCase() ?? '', address: BigInt(literal[2]) };
        else {
            const { memoryReference, result } = await request<{ memoryReference?: string; result: string }>('evaluate', { expression: text, context: 'watch' });
            const number = /^(phys:)?(0x[0-9a-f]+|\d+)/i.exec(memoryReference ?? result);
            if (!number) throw new Error(`${text} is ${result}, which is not an address`);
            base = { prefix: number[1] ?? '', address: BigInt(number[2]) };
        }
        address.classList.remove('invalid');
        note.textContent = '';
    } catch (error) {
        address.classList.add('invalid');
        note.textContent = error instanceof Error ? error.message : String(error);
    }
}

function at(offset: number): Place { return { prefix: base!.prefix, address: BigInt.asUintN(64, base!.address + BigInt(offset)) }; }
function reference({ prefix, address: number }: Place): string { return `${prefix}0x${number.toString(16)}`; }

function draw(count: number, readable: number): void {
    const isFocused = document.activeElement === rows;
    rows.replaceChildren(h('div', { class: 'row head', role: 'row', 'aria-hidden': 'true' }, h('span', { class: 'place' }, base!.prefix ? 'physical' : 'linear'),
        ...Array.from({ length: ROW_BYTES }, (_, i) => h('span', { class: 'byte' }, (Number(base!.address & 15n) + i & 15).toString(16).toUpperCase())), h('span', { class: 'text' }, 'text')));
    for (let offset = 0; offset < count; offset += ROW_BYTES) rows.append(rowOf(offset, readable));
    const unreadable = count - readable;
    note.textContent = unreadable === count ? 'Not mapped here' : unreadable > 0 ? 'The rest is not mapped' : 'Type over a byte to change it in a diversion; right-click for breakpoints and writes';
    if (isFocused) rows.focus({ preventScroll: true });
}

function rowOf(offset: number, readable: number): HTMLElement {
    const start = at(offset), bytes: HTMLElement[] = [];
    const text = h('span', { class: 'text' });
    for (let i = 0; i < ROW_BYTES; i++) {
        const place = at(offset + i), key = reference(place);
        const value = offset + i < readable ? known.get(key) : undefined;
        const isChanged = value !== undefined && previous.has(key) && previous.get(key) !== value;
        const isSelected = selected === place.address;
        const pending = isSelected && typed ? typed.padEnd(2, '_') : undefined;
        const context = { webviewSection: 'byte', address: key, bytes: wordAt(place), isLinear: place.prefix === '', preventDefaultContextMenuItems: true };
        bytes.push(h('span', {
            class: `byte${isChanged ? ' changed' : ''}${isSelected ? ' selected' : ''}${value === 0 ? ' zero' : ''}${i === 8 ? ' gap' : ''}`, role: 'gridcell',
            'data-address': key, 'data-vscode-context': JSON.stringify(context), title: isChanged ? `was ${hex(previous.get(key)!)} at the last stop` : undefined,
            'aria-selected': String(isSelected), onmousedown: () => select(place.address)
        }, pending ?? (value === undefined ? '··' : hex(value))));
        const character = value !== undefined && value >= 32 && value < 127 ? String.fromCharCode(value) : '.';
        text.append(h('span', { class: isChanged ? 'changed' : isSelected ? 'selected' : value === 0 ? 'zero' : '' }, value === undefined ? ' ' : character));
    }
    return h('div', { class: 'row', role: 'row' }, h('span', { class: 'place', role: 'rowheader' }, start.address.toString(16).padStart(16, '0')), ...bytes, text);
}

/** Watching an aligned word is what is meant most often; else one byte. */
function wordAt({ address: number }: Place): number { return number % 8n === 0n ? 8 : number % 4n === 0n ? 4 : 1; }

function hex(value: number): string { return value.toString(16).padStart(2, '0'); }

function select(place: bigint): void {
    selected = place;
    typed = '';
    redraw();
    rows.focus({ preventScroll: true });
}

function redraw(): void {
    if (!base) return;
    const count = rowCount() * ROW_BYTES;
    let readable = 0;
    while (readable < count && known.has(reference(at(readable)))) readable++;
    draw(count, readable);
}

function scroll(rowsDown: number): void {
    if (!base) return;
    options.isFollowing = false;
    base = at(rowsDown * ROW_BYTES);
    refresh();
}

function onWheel(event: WheelEvent): void {
    event.preventDefault();
    scroll(Math.sign(event.deltaY) * 3);
}

function onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey || !base) return;
    const moves: { [key: string]: number } = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -ROW_BYTES, ArrowDown: ROW_BYTES };
    if (event.key in moves) move(moves[event.key]);
    else if (event.key === 'PageUp') scroll(-rowCount());
    else if (event.key === 'PageDown') scroll(rowCount());
    else if (event.key === 'Escape') { typed = ''; redraw(); }
    else if (/^[0-9a-f]$/i.test(event.key) && selected !== undefined) type(event.key);
    else return;
    event.preventDefault();
}

function move(by: number): void {
    const next = BigInt.asUintN(64, (selected ?? base!.address - BigInt(by) + FULL) + BigInt(by));
    selected = next;
    typed = '';
    const offset = BigInt.asIntN(64, next - base!.address), size = BigInt(rowCount() * ROW_BYTES);
    if (offset < 0n) scroll(-1);
    else if (offset >= size) scroll(1);
    else redraw();
}

function type(digit: string): void {
    typed += digit.toLowerCase();
    if (typed.length < 2) return redraw();
    const place = { prefix: base!.prefix, address: selected! }, value = parseInt(typed, 16);
    typed = '';
    request('writeMemory', { memoryReference: reference(place), offset: 0, data: btoa(String.fromCharCode(value)) }).then(() => {
        if (!previous.has(reference(place))) previous.set(reference(place), known.get(reference(place)) ?? 0);
        move(1);
        refresh();
    }, (error: Error) => {
        redraw();
        note.textContent = error.message;
    });
}

function onSubmit(event: Event): void {
    event.preventDefault();
    go(address.value);
}

function go(expression: string): void {
    address.value = options.expression = expression;
    options.isFollowing = true;
    remember(options);
    selected = undefined;
    void evaluate().then(() => {
        if (!note.textContent) refresh();
    });
}

function onState(next: ViewState): void {
    if (state?.session !== next.session) {
        base = undefined;
        [known, previous, stop] = [new Map(), new Map(), -1];
    }
    state = next;
    if (!next.session) root.replaceChildren(noSession('Memory shows the bytes at any address, register or expression, and which of them changed since the last stop.'));
    else if (next.change === 'moved' || next.change === 'session') refresh();
}

new ResizeObserver(() => refresh()).observe(root);
start(onState, go);
