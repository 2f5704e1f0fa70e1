import type { PageFilter, TtvmPageTable, TtvmPageTableEntry, TtvmRange, TtvmRanges, TtvmTableChange, TtvmTableChanges, TtvmTranslation } from '../protocol';
import { withThousands } from '../text';
import type { ViewState } from '../views/messages';
import { failure, h, latest, noSession, placeholder, remember, remembered, request, root, send, start, type Child } from './page';
import { translationElement } from './translation';
import { TreeGrid } from './treeGrid';

// Page tables: the guest's entries with the shadow's beside them, merged ranges, what changed since another position, and the walk of one address.

const FILTERS: { filter: PageFilter; title: string }[] = [
    { filter: 'writable', title: 'Stores are allowed' }, { filter: 'user', title: 'User mode may access it' }, { filter: 'executable', title: 'Instructions may be fetched' },
    { filter: 'accessed', title: 'It was used' }, { filter: 'dirty', title: 'It was written to' }, { filter: 'global', title: 'It survives a change of CR3' }
];
const RANGE_PAGE = 500;
type Tab = 'tree' | 'ranges' | 'changes';

const options = remembered<{ filters: PageFilter[]; tab: Tab; comparedTo: string; includesAbsent: boolean }>({ filters: [], tab: 'tree', comparedTo: '', includesAbsent: false });
let state: ViewState | undefined;
let translated: string | undefined;

const jump = (address: string) => h('button', { class: 'link mono', title: 'Show in the Memory view', onclick: () => send({ type: 'show', view: 'memory', address }) }, address);
const hexWidth = (address: string, digits: number) => address.replace(/^(phys:)?0x/, '').padStart(digits, '0');
const range = (from: string, to: string) => h('span', { class: 'mono' }, `${hexWidth(from, 16)} – ${hexWidth(to, 16)}`);

const tree = new TreeGrid<TtvmPageTableEntry>({
    columns: [{ title: 'Linear range' }, { title: 'Entry' }, { title: 'Guest entry' }, { title: 'Bits' }, { title: 'Physical' }, { title: 'Size' }, { title: 'Shadow' }],
    key: entry => `${entry.level}/${entry.linear}`,
    cells: entry => [
        [range(entry.linear, entry.linearEnd)],
        [`${entry.level}[${entry.index}]`],
        [h('span', { class: 'mono', title: `The entry lies at ${entry.entryAddress}` }, hexWidth(entry.value, 16)),
            entry.was ? h('span', { class: 'was mono', title: `At ${options.comparedTo}` }, ` was ${hexWidth(entry.was, 16)}`) : null],
        entry.bits.length === 0 ? [h('span', { class: 'faint' }, 'not present')] : entry.bits.map(bit => h('span', { class: `bit bit-${bit.toLowerCase()}`, title: BIT_MEANINGS[bit] ?? bit }, bit)),
        [entry.physical === '' ? null : jump(entry.physical.startsWith('phys:') ? entry.physical : `phys:${entry.physical}`)],
        [entry.isPage ? h('strong', {}, entry.size) : entry.size],
        shadowCell(entry)
    ],
    hasChildren: entry => entry.path !== undefined,
    children: async entry => (await readTable(entry.path)).entries,
    rowClass: entry => entry.change ?? '',
    context: entry => ({ webviewSection: 'address', address: entry.linear, preventDefaultContextMenuItems: true })
}, 'Guest page tables and their shadow');

const BIT_MEANINGS: { [bit: string]: string } = {
    P: 'present', W: 'writable', U: 'user mode may access it', PWT: 'write-through', PCD: 'not cached', A: 'accessed', D: 'dirty: was written to', PS: 'a large page',
    PAT: 'page attribute', G: 'global: survives a change of CR3', XD: 'no instructions are fetched from it'
};

function shadowCell({ shadow }: TtvmPageTableEntry): Child[] {
    if (!shadow) return [h('span', { class: 'faint' }, '–')];
    return [h('span', { class: `badge ${shadow.state.replace(/ /g, '-')}`, title: shadow.why }, shadow.state), h('span', { class: 'why', title: shadow.why }, shadow.machine ? ` ${shadow.machine}` : '')];
}

// ---- The bar above.

const filterBoxes = FILTERS.map(({ filter, title }) => {
    const box = h('input', { type: 'checkbox', onchange: () => toggleFilter(filter, box.checked) });
    box.checked = options.filters.includes(filter);
    return h('label', { class: 'chip', title }, box, filter);
});
const presentBox = h('input', {
    type: 'checkbox', onchange: () => { options.includesAbsent = !presentBox.checked; remember(options); refresh(); }
});
presentBox.checked = !options.includesAbsent;
const presentChip = h('label', { class: 'chip', title: 'Only entries that are present; without it, also those that hold something else, such as where a page was swapped to' }, presentBox, 'present');
const search = h('input', { type: 'text', class: 'address', 'aria-label': 'Translate an address', placeholder: 'rip, 0xffffffff81000000', spellcheck: 'false' });
const compare = h('input', { type: 'text', class: 'position', 'aria-label': 'Compare with position', placeholder: '50% or 123456', value: options.comparedTo, spellcheck: 'false' });
const tabNames: { [tab in Tab]: string } = { tree: 'Tree', ranges: 'Merged ranges', changes: 'Changes' };
const tabs = h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Ways to look at the page tables' });
const summary = h('span', { class: 'note', role: 'status' });
const filterGroup = h('span', { class: 'group', role: 'group', 'aria-label': 'Show only' }, presentChip, ...filterBoxes);
const bar = h('div', { class: 'bars' },
    h('div', { class: 'bar' }, tabs, summary, filterGroup),
    h('div', { class: 'bar' },
        h('form', { class: 'inline', onsubmit: (event: Event) => { event.preventDefault(); translate(search.value); } }, h('label', {}, 'Translate ', search), h('button', { type: 'submit' }, 'Walk')),
        h('form', { class: 'inline', onsubmit: (event: Event) => { event.preventDefault(); setCompared(compare.value); } },
            h('label', {}, 'Compare with ', compare), h('button', { type: 'submit' }, 'Compare'), h('button', { type: 'button', class: 'icon', title: 'Compare no more', 'aria-label': 'Compare no more', onclick: () => setCompared('') }, '✕'))));
const walk = h('div', { class: 'walk', hidden: true });
const content = h('div');
const page = h('div', { class: 'fill' }, bar, h('div', { class: 'scroll grow' }, walk, content));

function drawTabs(): void {
    tabs.replaceChildren(...(Object.keys(tabNames) as Tab[]).map(tab => h('button', {
        role: 'tab', class: 'tab', 'aria-selected': String(tab === options.tab), onclick: () => { options.tab = tab; remember(options); drawTabs(); refresh(); }
    }, tabNames[tab])));
    filterGroup.hidden = options.tab === 'changes';
}

function toggleFilter(filter: PageFilter, isOn: boolean): void {
    options.filters = isOn ? [...options.filters, filter] : options.filters.filter(each => each !== filter);
    remember(options);
    refresh();
}

function setCompared(position: string): void {
    options.comparedTo = compare.value = position.trim();
    remember(options);
    refresh();
}

function translate(address: string): void {
    search.value = address;
    translated = address.trim() || undefined;
    refresh();
}

// ---- What is shown.

function readTable(path?: string): Promise<TtvmPageTable> {
    return request<TtvmPageTable>('ttvm/pageTable', { threadId: state?.threadId, path, filters: options.filters, comparedTo: options.comparedTo || undefined, includeAbsent: options.includesAbsent });
}

const refresh = latest(async () => {
    if (!state?.session || !state.isStopped) return;
    if (!page.isConnected) root.replaceChildren(page);
    await showWalk();
    try {
        if (options.tab === 'tree') await showTree();
        else if (options.tab === 'ranges') await showRanges();
        else await showChanges();
    } catch (error) {
        summary.textContent = '';
        content.replaceChildren(failure(error));
    }
});

async function showTree(): Promise<void> {
    const table = await readTable();
    if (table.entries.length === 0) {
        summary.textContent = table.mode;
        const isOff = /no paging/i.test(table.mode);
        content.replaceChildren(isOff ? placeholder('Paging is off here', 'Linear addresses are physical addresses. Later in the recording the guest switches paging on.')
            : placeholder('Nothing to show', options.filters.length > 0 ? 'No entry has all of the bits that are asked for.' : 'The root table is empty.'));
        return;
    }
    await tree.show(table.entries);
    summary.textContent = `vCPU ${(state?.threadId ?? 1) - 1}: ${table.mode}, CR3 ${table.root}${options.comparedTo ? `, compared with ${options.comparedTo}` : ''}`;
    if (!tree.element.isConnected) content.replaceChildren(tree.element);
}

async function showRanges(): Promise<void> {
    const { total, ranges } = await request<TtvmRanges>('ttvm/ranges', { threadId: state?.threadId, filters: options.filters, start: 0, count: RANGE_PAGE });
    summary.textContent = `${withThousands(total)} range${total === 1 ? '' : 's'}`;
    if (total === 0) return content.replaceChildren(placeholder('Nothing is mapped', options.filters.length > 0 ? 'No page has all of the bits that are asked for.' : 'There are no page tables here.'));
    content.replaceChildren(table('Merged ranges', ['Linear range', 'Physical', 'Size', 'Access', 'Pages'], ranges.map((each: TtvmRange) => [
        range(each.linear, each.linearEnd), jump(each.physical.startsWith('phys:') ? each.physical : `phys:${each.physical}`), each.size, h('span', { class: 'mono' }, each.access), each.pageSize])));
    if (total > ranges.length) content.append(h('p', { class: 'empty' }, `The first ${ranges.length} of ${withThousands(total)} are shown.`));
}

async function showChanges(): Promise<void> {
    summary.textContent = '';
    if (!options.comparedTo) return content.replaceChildren(placeholder('Compare with which position?', 'Enter a position above: this lists what changed in the page tables between there and here.'));
    const { changes, from, to, isCut } = await request<TtvmTableChanges>('ttvm/tableChanges', { threadId: state?.threadId, from: options.comparedTo });
    summary.textContent = `${changes.length}${isCut ? ' and more' : ''} changes from ${withThousands(from)} to ${withThousands(to)}`;
    if (changes.length === 0) return content.replaceChildren(placeholder('No difference', 'The page tables map the same at both positions.'));
    content.replaceChildren(table('Changes', ['Linear range', 'Level', 'Before', 'Now'], changes.map((each: TtvmTableChange) => [
        range(each.linear, each.linearEnd), each.level, h('span', { class: 'mono' }, each.before), h('span', { class: 'mono' }, each.after)])));
}

function table(label: string, heads: string[], rows: Child[][]): HTMLElement {
    return h('table', { class: 'grid', 'aria-label': label }, h('thead', {}, h('tr', {}, ...heads.map(head => h('th', { scope: 'col' }, head)))),
        h('tbody', {}, ...rows.map(row => h('tr', {}, ...row.map(cell => h('td', {}, cell))))));
}

async function showWalk(): Promise<void> {
    walk.hidden = translated === undefined;
    if (translated === undefined) return;
    try {
        const translation = await request<TtvmTranslation>('ttvm/translate', { address: translated, threadId: state?.threadId });
        walk.replaceChildren(translationElement(translation, jump, () => translate('')));
    } catch (error) {
        walk.replaceChildren(failure(error));
    }
}

function onState(next: ViewState): void {
    state = next;
    if (!next.session) root.replaceChildren(noSession('Page Tables shows the guest\'s page tables with the shadow page tables beside them, and each step of a translation.'));
    else if (next.change !== 'timeline') refresh();
}

drawTabs();
start(onState, translate);
