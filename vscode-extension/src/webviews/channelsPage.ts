import type { ChannelMoment, TtvmChannel, TtvmChannelFindings, TtvmChannels, TtvmChannelSlot } from '../protocol';
import { withThousands } from '../text';
import { addressLink, findings, seekLink, type Tell, ways } from './links';
import { h, request } from './page';

// Channels: each with its ring as it is in memory. A message that is chosen shows its contents, and ways to where it was published and read.

const MOMENTS: [ChannelMoment, string][] = [['publication', 'Publication'], ['receipt', 'Receipt'], ['fullStall', 'No room'], ['emptyStall', 'No message']];
const MESSAGE_MOMENTS: [ChannelMoment, string][] = [['publication', 'Publication of it'], ['receipt', 'Receipt of it']];

let known: TtvmChannelFindings | undefined;
let selected: { channel: string; slot: number; number: number } | undefined;

/** Another session: nothing is known of it. */
export function forgetChannels(): void { [known, selected] = [undefined, undefined]; }

export async function channelsPage({ channels, problems }: TtvmChannels, tell: Tell, draw: () => void): Promise<HTMLElement[]> {
    if (!known?.isComplete) known = await request<TtvmChannelFindings>('ttvm/channelFindings');
    const list = findings('What was wrong with messages', known.findings, tell);
    // Those that were never used last.
    const sorted = [...channels].sort((a, b) => Number(isUnused(a)) - Number(isUnused(b)));
    return [
        ...problems.map(text => h('p', { class: 'hint problem' }, text)), ...(list ? [list] : []),
        h('p', { class: 'ways' }, ...ways('ttvm/channelSeek', MOMENTS, (event, reverse) => ({ event, reverse }), tell)),
        ...sorted.map(one => channel(one, tell, draw))
    ];
}

function isUnused(one: TtvmChannel): boolean { return one.slots.every(slot => slot.sequence === 0); }

function channel(one: TtvmChannel, tell: Tell, draw: () => void): HTMLElement {
    // A message is followed wherever the session goes; its slot may have another by then.
    const chosen = selected?.channel === one.name ? one.slots[selected.slot] : undefined;
    return h('section', { class: 'part channel', 'data-name': one.name },
        h('p', {}, h('strong', {}, one.name), one.senderThreadId !== undefined && one.receiverThreadId !== undefined && ` vCPU ${one.senderThreadId - 1} → vCPU ${one.receiverThreadId - 1} `,
            ' ', h('span', { class: `badge ${one.state === 'full' ? 'contended' : one.state === 'corrupt' ? 'corrupt' : one.state === 'in flight' ? 'held' : ''}` }, one.state),
            h('span', { class: 'hint' }, ` ${counts(one).join(', ')}`), one.problem && h('strong', { class: 'problem' }, ` ${one.problem}`)),
        h('ol', { class: 'queue ring', 'aria-label': `Messages of ${one.name}` }, ...one.slots.map(slot => box(one, slot, chosen === slot, draw))),
        chosen && message(one, chosen, selected!.number, tell));
}

function counts(one: TtvmChannel): string[] {
    const part = (count: number | undefined, what: string) => count === undefined ? [] : [`${withThousands(count)} ${what}`];
    return [...part(one.sent, 'sent'), ...part(one.received, 'read'), ...part(one.acknowledged, 'acknowledged'), ...part(one.credits, 'credits'), ...part(one.fullStalls, 'times no room'),
        ...part(one.emptyStalls, 'times no message')];
}

function box(one: TtvmChannel, slot: TtvmChannelSlot, isChosen: boolean, draw: () => void): HTMLElement {
    const toggle = () => {
        selected = isChosen ? undefined : { channel: one.name, slot: slot.index, number: slot.sequence };
        draw();
    };
    return h('li', {}, h('button', { class: `slot ${slot.isInFlight ? 'in-flight' : ''}`, 'aria-pressed': String(isChosen), title: `Slot ${slot.index}: ${slot.contents}`, onclick: toggle },
        slot.sequence === 0 ? '–' : String(slot.sequence)));
}

function message(one: TtvmChannel, slot: TtvmChannelSlot, number: number, tell: Tell): HTMLElement {
    const isThere = slot.sequence === number, state = number === 0 ? 'no message yet' : `message ${number}, ${!isThere ? 'which is not in the ring here' : slot.isInFlight ? 'under way' : 'read'}`;
    return h('div', { class: 'message' }, h('p', {}, `Slot ${slot.index} at `, addressLink(slot.address), `: ${state}`,
        isThere && slot.published && ', published ', isThere && slot.published && seekLink(slot.published, tell), isThere && slot.received && ', read ',
        isThere && slot.received && seekLink(slot.received, tell)),
        isThere && h('p', { class: 'value' }, slot.contents),
        number === 0 ? null : h('p', { class: 'ways' }, ...ways('ttvm/channelSeek', MESSAGE_MOMENTS, (event, reverse) => ({ event, channel: one.name, number, reverse }), tell)));
}
