import type { TtvmSwap, TtvmSwaps } from '../protocol';
import { withThousands } from '../text';
import { seekLink, sourceLink, type Tell } from './links';
import { h, request, send } from './page';

// Swaps: every compare-and-swap, exchange, locked update and store of a word: who won, who tried again, who was deceived. Only a search of the recording tells.

const PAGE_COUNT = 200;
const HEADS: [title: string, kind: string][] = [['Position', 'position'], ['vCPU', 'number'], ['Instruction', ''], ['Expected', 'value'], ['Old', 'value'], ['New', 'value'], ['Result', ''], ['Code', '']];

const input = h('input', { type: 'text', class: 'word', 'aria-label': 'Word', placeholder: 'stack, account+0x10, 0xffffffff81000000', spellcheck: 'false' });
let word = '';
let known: { word: string; answer: TtvmSwaps } | undefined;
/** Counts searches: the answer to an older one is of no use. */
let search = 0;
let isSearching = false;

/** Another session: nothing is known of it. */
export function forgetSwaps(): void {
    search++;
    [known, isSearching] = [undefined, false];
}

/** Searches for a word. */
export function showSwapsOf(address: string, tell: Tell, draw: () => void): void {
    input.value = word = address;
    void find(0, tell, draw);
}

export function swapsPage(here: string | undefined, tell: Tell, draw: () => void): HTMLElement[] {
    const submit = (event: Event) => {
        event.preventDefault();
        word = input.value.trim();
        input.classList.toggle('invalid', word === '');
        if (word) void find(0, tell, draw);
    };
    const form = h('form', { class: 'ways', onsubmit: submit }, h('label', {}, 'Word ', input), h('button', { type: 'submit', class: 'primary', disabled: isSearching }, 'Search'),
        isSearching && h('button', { type: 'button', onclick: () => send({ type: 'cancel' }) }, 'Cancel'));
    return [form, ...(known ? answer(known.word, known.answer, here, tell, draw) : [h('p', { class: 'empty' }, isSearching ? 'Searching'
        : 'Name a word in memory, as a lock or the top of a stack: Enter finds everyone in the recording who tried to change it.')])];
}

async function find(first: number, tell: Tell, draw: () => void): Promise<void> {
    const own = ++search, wanted = first > 0 && known ? known.word : word;
    isSearching = true;
    if (first === 0) known = undefined;
    draw();
    try {
        // From the beginning again: which one is a retry, and what was read before, is in what came before.
        const answer = await request<TtvmSwaps>('ttvm/swaps', { word: wanted, count: first + PAGE_COUNT });
        if (own !== search) return;
        known = { word: wanted, answer };
        tell('');
    } catch (error) {
        if (own === search) tell((error as Error).message);
    } finally {
        if (own === search) {
            isSearching = false;
            draw();
        }
    }
}

function answer(of: string, { address, sizeBytes, swaps, isCut }: TtvmSwaps, here: string | undefined, tell: Tell, draw: () => void): HTMLElement[] {
    if (swaps.length === 0) return [h('p', { class: 'empty' }, `Nobody changes ${of} in this recording.`)];
    const tried = swaps.filter(one => one.kind === 'compareExchange'), lost = tried.filter(one => !one.hasWon), deceived = tried.filter(one => one.isDeceived);
    return [
        h('p', { class: 'hint' }, `${of}, ${sizeBytes} bytes at ${address}: ${withThousands(swaps.length)} changes${isCut ? ' and more' : ''}; of ${withThousands(tried.length)} compare-and-swaps `
            + `${withThousands(lost.length)} lost, and ${withThousands(deceived.length)} won though the word had been changed and changed back.`),
        h('table', { class: 'grid swaps', 'aria-label': `Changes of ${of}` },
            h('thead', {}, h('tr', {}, ...HEADS.map(([title, kind]) => h('th', { scope: 'col', class: kind }, title)))), h('tbody', {}, ...swaps.map(one => row(one, here, tell)))),
        ...(isCut ? [h('p', { class: 'empty' }, h('button', { type: 'button', disabled: isSearching, onclick: () => void find(swaps.length, tell, draw) }, 'More'))] : [])
    ];
}

function row(one: TtvmSwap, here: string | undefined, tell: Tell): HTMLElement {
    const kind = one.isDeceived ? 'deceived' : one.kind !== 'compareExchange' ? '' : one.hasWon ? 'won' : 'lost';
    const retry = one.retry > 0 ? ` retry ${one.retry}` : '';
    const result = kind && h('span', { class: `badge ${kind === 'won' ? 'held' : kind === 'lost' ? 'contended' : 'corrupt'}` }, kind);
    return h('tr', { class: `swap ${kind} ${one.position === here ? 'here' : ''}`, title: one.remark, 'data-position': one.position },
        h('td', { class: 'position' }, seekLink(one.position, tell)), h('td', { class: 'number', title: one.task }, one.threadId === undefined ? 'chip' : String(one.threadId - 1)),
        h('td', {}, one.instruction), h('td', { class: 'value' }, one.expected), h('td', { class: 'value' }, one.old), h('td', { class: 'value' }, one.new),
        h('td', {}, result, retry, one.readAt && one.isDeceived && ' read at ', one.readAt && one.isDeceived && seekLink(one.readAt, tell)),
        h('td', {}, one.code && sourceLink(one.code)));
}
