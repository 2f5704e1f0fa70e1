import type { RecordingSummary } from '../recordings/recordingEditor';
import { sizeText, timeText, withThousands } from '../text';
import { h, placeholder, root, send, type Child } from './page';

// The editor for .ttvm files: what `ttvm info FILE --json` tells, and a button.

interface Info {
    identity: string;
    formatVersion: number;
    recordedFrom?: string;
    machine: { cpuCount: number; memorySizeBytes: number; boot: string; clock: string; commandLine?: string; chaosSeed?: number };
    images: { role: string; name: string; sizeBytes: number }[];
    end: { position: string; outcome: string; detail: string; recovered: boolean; guestNanoseconds: number };
    inputCount: number;
    checkpointCount: number;
    fileSizeBytes: number;
    logSizeBytes: number;
    checkpointSizeBytes: number;
    pageStoreSizeBytes: number;
    imageSizeBytes: number;
}

const LAST_LINES = 12;
const post = (type: 'replay' | 'verify') => send({ type } as never);

function show({ name, folder, info, console: text, problem }: RecordingSummary): void {
    if (problem || !info) return root.replaceChildren(placeholder(`${name} cannot be opened`, problem ?? 'It is empty.'));
    const { machine, end, images, recordedFrom, ...rest } = info as Info;
    const ending = end.detail || (/^none$/i.test(end.outcome) ? 'the machine was still running when recording stopped' : end.outcome);
    const isBad = /triple|unimplemented|fail/i.test(end.outcome);
    const row = (title: string, ...value: Child[]) => h('tr', {}, h('th', { scope: 'row' }, title), h('td', {}, ...value));
    const lines = (text ?? '').replace(/\r/g, '').trimEnd().split('\n').slice(-LAST_LINES);
    root.replaceChildren(h('div', { class: 'recording' },
        h('header', {}, h('h1', {}, name), h('p', { class: 'folder' }, folder),
            h('div', { class: 'actions' }, h('button', { class: 'primary', onclick: () => post('replay') }, '▶ Replay'),
                h('button', { class: 'secondary', onclick: () => post('verify'), title: 'Replays the whole recording and compares every digest' }, 'Verify'))),
        h('section', { class: 'cards', 'aria-label': 'In short' },
            card('Length', withThousands(end.position), 'instructions'), card('Guest time', timeText(end.guestNanoseconds, 2), `clock: ${machine.clock.toLowerCase()}`),
            card('Machine', `${machine.cpuCount} vCPU${machine.cpuCount === 1 ? '' : 's'}`, `${sizeText(machine.memorySizeBytes)} of memory`),
            card('File', sizeText(rest.fileSizeBytes), `${rest.checkpointCount} checkpoints`)),
        h('section', {}, h('h2', {}, 'How it ended'), h('p', { class: isBad ? 'outcome bad' : 'outcome' }, `${sentence(ending)}${end.recovered ? ' (Recovered from a recorder that was killed.)' : ''}`)),
        h('section', {}, h('h2', {}, 'Last lines of the console'), h('pre', { class: 'last-lines', tabindex: 0 }, lines.join('\n').trim() || 'The guest printed nothing.')),
        h('section', {}, h('h2', {}, 'Machine and file'), h('table', { class: 'facts' }, h('tbody', {},
            row('Boots', machine.boot.toLowerCase(), machine.commandLine ? h('code', {}, machine.commandLine) : null),
            ...images.map(image => row(sentence(image.role).replace('.', ''), `${image.name}, ${sizeText(image.sizeBytes)}`)),
            machine.chaosSeed !== undefined && machine.chaosSeed !== null && row('Scheduling', `varied, from seed ${machine.chaosSeed}`),
            row('Inputs', withThousands(rest.inputCount)),
            row('Sizes', `log ${sizeText(rest.logSizeBytes)}, checkpoints ${sizeText(rest.checkpointSizeBytes)}, pages ${sizeText(rest.pageStoreSizeBytes)}, images ${sizeText(rest.imageSizeBytes)}`),
            recordedFrom ? row('Recorded with', h('code', {}, recordedFrom)) : null,
            row('Identity', h('code', {}, rest.identity), ` format ${rest.formatVersion}`))))));
}

function card(title: string, value: string, text: string): HTMLElement {
    return h('div', { class: 'card' }, h('div', { class: 'card-title' }, title), h('div', { class: 'card-value' }, value), h('div', { class: 'card-text' }, text));
}

function sentence(text: string): string { return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`; }

window.addEventListener('message', event => { if (event.data.type === 'summary') show(event.data.summary as RecordingSummary); });
root.replaceChildren(h('p', { class: 'empty' }, 'Reading the recording…'));
send({ type: 'ready' });
