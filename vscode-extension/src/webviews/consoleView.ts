import type { TtvmConsole, TtvmConsoleLine } from '../protocol';
import { withThousands } from '../text';
import type { ViewState } from '../views/messages';
import { failure, h, latest, noSession, remember, remembered, request, root, start } from './page';

// Guest Console: what the guest has printed up to now, by channel, and its VGA text screen.

const SCREEN = 'screen';
const CHANNEL_NAMES: { [channel: string]: string } = { serial0: 'Serial 1', serial1: 'Serial 2', debug: 'Debug port', virtio: 'virtio', [SCREEN]: 'Screen' };
const LINE_COUNT = 2000;

const options = remembered({ channel: 'serial0' });
let state: ViewState | undefined;
let content: TtvmConsole | undefined;

const tabs = h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Channels', onkeydown: onTabKey });
const lines = h('div', { class: 'console', role: 'list', tabindex: -1, 'aria-label': 'Lines that the guest printed', onkeydown: onLineKey });
const input = h('input', { type: 'text', placeholder: 'Type into the guest, Enter sends', 'aria-label': 'Type into the guest', spellcheck: 'false' });
const typing = h('form', { class: 'typing', onsubmit: onSubmit }, input, h('button', { type: 'submit' }, 'Send'));
const note = h('div', { class: 'note', role: 'status' });
const page = h('div', { class: 'fill' }, h('div', { class: 'bar' }, tabs, note), lines, typing);

const refresh = latest(async () => {
    // A guest that lives tells what it prints while it runs, too.
    if (!state?.session || !state.isStopped && !state.position?.isLive) return;
    try {
        const channel = options.channel === SCREEN ? undefined : options.channel;
        content = await request<TtvmConsole>('ttvm/console', { channel, count: LINE_COUNT });
        draw(content);
    } catch (error) {
        root.replaceChildren(failure(error));
    }
});

function onState(next: ViewState): void {
    state = next;
    if (!next.session) root.replaceChildren(noSession('The Guest Console shows what the guest has printed up to the present position. Click a line to go to where it was printed.'));
    else if (next.change !== 'timeline') refresh();
}

function draw({ channels, isCut, screen, canType }: TtvmConsole): void {
    if (!page.isConnected) root.replaceChildren(page);
    const names = [...channels, SCREEN];
    tabs.replaceChildren(...names.map(name => h('button', {
        role: 'tab', class: 'tab', 'aria-selected': String(name === options.channel), tabindex: name === options.channel ? 0 : -1, 'data-channel': name, onclick: () => select(name)
    }, CHANNEL_NAMES[name] ?? name)));
    if (options.channel === SCREEN) drawScreen(screen);
    else drawLines(content!.lines, isCut);
    typing.hidden = !canType;
    input.disabled = !canType;
    note.textContent = options.channel === SCREEN ? `${screen.columns} × ${screen.lines.length} characters`
        : canType ? 'The guest lives: what you type reaches its first serial port.' : 'Click a line to go to where it was printed.';
}

function drawLines(all: TtvmConsoleLine[], isCut: boolean): void {
    const wasAtEnd = lines.scrollTop + lines.clientHeight >= lines.scrollHeight - 30;
    lines.className = 'console';
    if (all.length === 0) {
        lines.replaceChildren(h('p', { class: 'empty' }, 'Nothing has been printed here yet, as of the present position.'));
        return;
    }
    lines.replaceChildren(
        ...(isCut ? [h('p', { class: 'empty' }, `Only the last ${withThousands(all.length)} lines are shown.`)] : []),
        ...all.map((line, i) => h('div', { role: 'listitem' }, h('button', {
            class: 'line', 'data-position': line.position, tabindex: i === all.length - 1 ? 0 : -1, title: `Go to ${withThousands(line.position)}, where this was printed`,
            onclick: () => seek(line.position)
        }, h('span', { class: 'position' }, withThousands(line.position)), h('span', { class: 'text' }, line.text || ' ')))));
    if (wasAtEnd || state?.change === 'moved') lines.scrollTop = lines.scrollHeight;
}

function drawScreen({ lines: text, cursorRow, cursorColumn, columns }: TtvmConsole['screen']): void {
    lines.className = 'console screen';
    lines.replaceChildren(h('pre', { class: 'vga', 'aria-label': 'VGA text screen', role: 'img' }, ...text.flatMap((line, row) => {
        const padded = line.padEnd(columns);
        const end = row < text.length - 1 ? '\n' : '';
        if (row !== cursorRow) return [padded + end];
        return [padded.slice(0, cursorColumn), h('span', { class: 'vga-cursor' }, padded[cursorColumn] ?? ' '), padded.slice(cursorColumn + 1) + end];
    })));
}

function select(channel: string): void {
    options.channel = channel;
    remember(options);
    refresh();
}

function seek(position: string): void {
    void request('ttvm/seek', { position }).catch((error: Error) => { note.textContent = error.message; });
}

function onSubmit(event: Event): void {
    event.preventDefault();
    const text = `${input.value}\r`;
    input.value = '';
    void request('ttvm/type', { text }).catch((error: Error) => { note.textContent = error.message; });
}

function onTabKey(event: KeyboardEvent): void {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (!step) return;
    const all = [...tabs.children] as HTMLElement[];
    const next = all[(all.indexOf(document.activeElement as HTMLElement) + step + all.length) % all.length];
    next.focus();
    select(next.dataset.channel!);
}

function onLineKey(event: KeyboardEvent): void {
    const item = document.activeElement?.parentElement;
    const next = event.key === 'ArrowDown' ? item?.nextElementSibling : event.key === 'ArrowUp' ? item?.previousElementSibling : undefined;
    const line = next?.querySelector<HTMLElement>('.line');
    if (!line) return;
    event.preventDefault();
    line.focus();
}

start(onState);
