import type { RcuMoment, TtvmRcu, TtvmRcuCallbacks, TtvmRcuFindings, TtvmRcuPointer, TtvmRcuReader, TtvmRcuReaders } from '../protocol';
import { withThousands } from '../text';
import { addressLink, findings, seekLink, sourceLink, steps, type Tell, ways } from './links';
import { h, request, send } from './page';

// Read-copy-update: the grace period and whom it waits for, readers, callbacks, and published pointers with the version that they had before.

const MOMENTS: [RcuMoment, string][] = [['publication', 'Publication'], ['readerEnters', 'Enter'], ['readerLeaves', 'Leave'], ['release', 'Free'], ['gracePeriodBegins', 'Grace period']];

let known: TtvmRcuFindings | undefined;
/** Since when those read who do at its position. */
let begins: TtvmRcuReaders | 'wanted' | undefined;

/** Another session: nothing is known of it. */
export function forgetRcu(): void { [known, begins] = [undefined, undefined]; }

export async function rcuPage(rcu: TtvmRcu, here: string | undefined, tell: Tell, draw: () => void): Promise<HTMLElement[]> {
    if (begins !== undefined && begins !== 'wanted' && begins.position !== here) begins = undefined;
    if (!known?.isComplete) known = await request<TtvmRcuFindings>('ttvm/rcuFindings');
    const all = known.findings.map(one => ({ ...one, kind: 'freed too early' }));
    const list = findings('What was freed too early', all, tell);
    const period = rcu.gracePeriod!;
    return [
        ...rcu.problems.map(text => h('p', { class: 'hint problem' }, text)), ...(list ? [list] : []),
        h('section', { class: 'part' }, h('p', {}, h('strong', {}, 'Grace period '), h('span', { class: `badge ${period.isInProgress ? 'contended' : 'held'}` }, period.isInProgress ? 'in progress' : 'idle'),
            ` ${period.state}`), ...period.waitsFor.map(text => h('p', { class: 'hint' }, `waits for: ${text}`)),
            h('p', { class: 'ways' }, ...ways('ttvm/rcuSeek', MOMENTS, (event, reverse) => ({ event, reverse }), tell))),
        ...readers(begins === undefined || begins === 'wanted' ? rcu.readers : begins.readers, rcu.past === 'learning', tell, draw), ...callbacks(rcu.callbacks), ...rcu.others.map(text => h('p', { class: 'empty' }, text)), ...published(rcu.published, tell)
    ];
}

function readers(all: TtvmRcuReader[], isLearning: boolean, tell: Tell, draw: () => void): HTMLElement[] {
    if (all.length === 0) return [h('p', { class: 'empty' }, 'No reader is inside a critical section, as far as it is known.')];
    const list = table('Readers', ['Reader', 'Since', 'From', ''], all.map(one => h('tr', { class: 'reader' }, h('td', { class: 'wrap' }, one.description),
        h('td', {}, one.since && seekLink(one.since, tell)), h('td', {}, one.from && sourceLink(one.from)),
        h('td', {}, one.threadId !== undefined && steps('reader of this vCPU that enters', reverse => ({ event: 'readerEnters', threadId: one.threadId, reverse }), 'ttvm/rcuSeek', tell)))));
    // What is being learnt comes by itself.
    if (isLearning || all.every(one => one.since !== undefined)) return [list];
    if (begins !== undefined && begins !== 'wanted') return [list, h('p', { class: 'hint' }, begins.problem)];
    return [list, h('p', { class: 'ways begins' }, h('button', {
        class: 'secondary', disabled: begins === 'wanted', title: 'Searches backwards for where each reader entered its critical section', onclick: () => findBegins(tell, draw)
    }, 'Find Since When'), begins === 'wanted' && h('button', { onclick: () => send({ type: 'cancel' }) }, 'Cancel'))];
}

function findBegins(tell: Tell, draw: () => void): void {
    begins = 'wanted';
    draw();
    void request<TtvmRcuReaders>('ttvm/rcuReaders').then(answer => { begins = answer; }, (error: Error) => {
        begins = undefined;
        tell(error.message);
    }).then(draw);
}

function callbacks(all: TtvmRcuCallbacks[]): HTMLElement[] {
    const some = all.filter(one => one.count === undefined || one.count > 0 || one.first.length > 0);
    if (all.length === 0) return [];
    if (some.length === 0) return [h('p', { class: 'empty' }, 'No callback waits.')];
    return [table('Callbacks', ['Callbacks', 'Waits for', 'First of them'], some.map(one => h('tr', {},
        h('td', {}, `${one.count === undefined ? '?' : withThousands(one.count)}${one.threadId === undefined ? '' : ` of vCPU ${one.threadId - 1}`}`),
        h('td', {}, ...one.segments.filter(part => part.count > 0).map(part => h('span', { class: 'badge' }, `${part.count} ${part.name}${part.period === undefined ? '' : ` for ${part.period}`}`))),
        h('td', { class: 'wrap' }, ...one.first.map(each => h('div', { title: each.segment }, addressLink(each.address), each.function ? ` ${each.function}` : ''))))))];
}

function published(all: TtvmRcuPointer[], tell: Tell): HTMLElement[] {
    if (all.length === 0) return [];
    return [table('Published pointers', ['Pointer', 'Points to', 'Written', 'Version before', ''], all.map(one => h('tr', { class: 'pointer', 'data-name': one.name },
        h('th', { scope: 'row' }, addressLink(one.address, one.name)), h('td', { class: 'value' }, one.value ? addressLink(one.value, one.text) : 'not in memory'),
        h('td', {}, one.written && seekLink(one.written, tell)), h('td', { class: 'value' }, one.old),
        h('td', {}, steps('write of it', reverse => ({ event: 'publication', pointer: one.address, reverse }), 'ttvm/rcuSeek', tell)))))];
}

function table(label: string, heads: string[], rows: HTMLElement[]): HTMLElement {
    return h('table', { class: 'grid', 'aria-label': label }, h('thead', {}, h('tr', {}, ...heads.map(head => h('th', { scope: 'col' }, head)))), h('tbody', {}, ...rows));
}
