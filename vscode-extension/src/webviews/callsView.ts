import type { TtvmCall, TtvmCalls } from '../protocol';
import { withThousands } from '../text';
import type { ViewState } from '../views/messages';
import { failure, h, noSession, remember, remembered, request, root, send, start } from './page';

// Calls: every call of a function in the recording, that meets a condition. Clicks go to its entry and its return.

const PAGE_COUNT = 100;
const HEADS: [title: string, kind: string][] = [['Position', 'position'], ['vCPU', 'number'], ['Caller', ''], ['Arguments', ''], ['Result', ''], ['Returns at', 'position'], ['Instructions', 'number']];

const options = remembered({ function: '', condition: '' });
let state: ViewState | undefined;
let calls: TtvmCall[] = [];
let isCut = false;
/** Counts searches: the answer to an older one is of no use. */
let search = 0;
let isSearching = false;

const name = field('function', 'Function', 'vfs_write, 0xffffffff81000000');
const condition = field('condition', 'Only when', 'count > 4096 && ret != 0');
const submit = h('button', { type: 'submit', class: 'primary' }, 'Search');
const cancel = h('button', { type: 'button', hidden: true, onclick: () => send({ type: 'cancel' }) }, 'Cancel');
const note = h('span', { class: 'note', role: 'status' });
const form = h('form', { class: 'bar', onsubmit: onSubmit }, h('label', {}, 'Function ', name), h('label', {}, 'only when ', condition), submit, cancel, note);
const content = h('div', { class: 'grow scroll' });
const page = h('div', { class: 'fill' }, form, content);

function field(kind: 'function' | 'condition', label: string, example: string): HTMLInputElement {
    return h('input', { type: 'text', class: kind, 'aria-label': label, value: options[kind], placeholder: example, spellcheck: 'false' });
}

function onState(next: ViewState): void {
    const isOther = next.session !== state?.session;
    state = next;
    if (isOther) clear();
    if (!next.session) root.replaceChildren(noSession('Calls lists every call of a function in the recording: when, from where, with what, and what it returned.'));
    else if (!page.isConnected && (next.isStopped || next.stopCount > 0)) show();
    else if (next.change === 'moved') markHere();
}

function show(): void {
    root.replaceChildren(page);
    if (calls.length === 0 && !isSearching) content.replaceChildren(empty('Name a function; Enter searches the whole recording. Arguments go by their names or as arg0 to arg5, registers as $rdi, the result as ret.'));
}

function clear(): void {
    search++;
    calls = [];
    setSearching(false);
    note.textContent = '';
}

function onSubmit(event: Event): void {
    event.preventDefault();
    options.function = name.value.trim();
    options.condition = condition.value.trim();
    remember(options);
    name.classList.toggle('invalid', options.function === '');
    if (options.function) void find(0);
}

/** Searches from the beginning, or for those behind the ones that are known. */
async function find(first: number): Promise<void> {
    const own = ++search;
    setSearching(true);
    note.textContent = 'Searching';
    note.classList.remove('problem');
    try {
        const answer = await request<TtvmCalls>('ttvm/calls', { function: options.function, condition: options.condition || undefined, start: first, count: PAGE_COUNT });
        if (own !== search) return;
        calls = [...calls.slice(0, first), ...answer.calls];
        isCut = answer.isCut;
        note.textContent = calls.length === 0 ? '' : `${withThousands(calls.length)} ${calls.length === 1 ? 'call' : 'calls'}${isCut ? ', and more' : ''}`;
        draw();
    } catch (error) {
        if (own !== search) return;
        const message = error instanceof Error ? error.message : String(error);
        note.textContent = message;
        note.classList.add('problem');
        if (/^there is no session$|not supported|unrecognized/i.test(message)) root.replaceChildren(failure(error));
    } finally {
        if (own === search) setSearching(false);
    }
}

function setSearching(value: boolean): void {
    isSearching = value;
    submit.disabled = value;
    cancel.hidden = !value;
}

function draw(): void {
    if (calls.length === 0) {
        content.replaceChildren(empty(`${options.function} is not called in this recording${options.condition ? ` with ${options.condition}` : ''}.`));
        return;
    }
    content.replaceChildren(
        h('table', { class: 'grid calls', 'aria-label': `Calls of ${options.function}` },
            h('thead', {}, h('tr', {}, ...HEADS.map(([title, kind]) => h('th', { scope: 'col', class: kind }, title)))), h('tbody', {}, ...calls.map(rowOf))),
        isCut ? h('p', { class: 'empty' }, h('button', { type: 'button', onclick: () => void find(calls.length) }, 'More')) : '');
    markHere();
}

function rowOf(call: TtvmCall): HTMLElement {
    const { threadId, returnThreadId, arguments: values, result, end, returnPosition, instructions } = call;
    const cpus = returnThreadId === undefined || returnThreadId === threadId ? `${threadId - 1}` : `${threadId - 1} → ${returnThreadId - 1}`;
    const caller = call.enteredBy === 'jump' ? `${call.caller}, by a jump` : call.caller;
    const types = [...values, ...(result ? [result] : [])].filter(value => value.type).map(value => `${value.name}: ${value.type}`).join('\n');
    return h('tr', { 'data-position': call.position, 'data-return': returnPosition },
        h('td', { class: 'position' }, link(call.position, 'Go to its entry')),
        h('td', { class: 'number' }, cpus),
        h('td', { title: `address space ${call.addressSpace}` }, caller),
        h('td', { class: 'value', title: types || undefined }, values.map(value => `${value.name}=${value.text}`).join(', ')),
        h('td', { class: 'value' }, result?.text ?? ''),
        h('td', { class: 'position' }, returnPosition ? link(returnPosition, 'Go to its return') : h('span', { class: 'faint' }, end === 'abandoned' ? 'never' : 'not in the recording')),
        h('td', { class: 'number' }, instructions === undefined ? '' : withThousands(instructions)));
}

function link(position: string, title: string): HTMLElement {
    return h('button', { type: 'button', class: 'link', title, 'data-position': position, onclick: () => seek(position) }, withThousands(position));
}

function seek(position: string): void {
    void request('ttvm/seek', { position }).catch((error: Error) => { note.textContent = error.message; });
}

/** Marks the calls that the machine stands at, by entry or return. */
function markHere(): void {
    const here = state?.position?.position;
    for (const row of content.querySelectorAll<HTMLElement>('tbody tr')) row.classList.toggle('here', here !== undefined && [row.dataset.position, row.dataset.return].includes(here));
}

function empty(text: string): HTMLElement { return h('p', { class: 'empty' }, text); }

start(onState, address => {
    name.value = address;
    condition.value = '';
    if (!page.isConnected) show();
    form.requestSubmit();
}, text => { if (isSearching && text) note.textContent = text; });
