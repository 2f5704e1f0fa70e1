import type { TtvmDevices, TtvmField } from '../protocol';
import type { ViewState } from '../views/messages';
import { failure, h, latest, noSession, placeholder, request, root, start } from './page';
import { TreeGrid } from './treeGrid';

// Devices: each chip with its registers.

interface Item { path: string; name: string; value: string; fields?: TtvmField[]; isDevice: boolean }

let state: ViewState | undefined;
/** Values at the stop before, by path: what changed stands out. */
let before = new Map<string, string>();
let now = new Map<string, string>();

const itemsOf = (fields: TtvmField[], path: string): Item[] => fields.map(field => ({ ...field, path: `${path}/${field.name}`, isDevice: false }));

const tree = new TreeGrid<Item>({
    columns: [{ title: 'Device' }, { title: 'Value' }],
    key: item => item.path,
    cells: item => [[h('span', { class: item.isDevice ? 'device' : '' }, item.name)], [h('span', { class: item.isDevice ? 'summary' : 'value' }, item.value)]],
    hasChildren: item => (item.fields?.length ?? 0) > 0,
    children: async item => itemsOf(item.fields ?? [], item.path),
    rowClass: item => before.has(item.path) && before.get(item.path) !== item.value ? 'changed' : ''
}, 'Devices and their registers');

const refresh = latest(async () => {
    if (!state?.session || !state.isStopped) return;
    try {
        const { devices } = await request<TtvmDevices>('ttvm/devices');
        const items = devices.map(device => ({ path: device.name, name: device.name, value: device.summary, fields: device.fields, isDevice: true }));
        before = now;
        now = new Map();
        note(items);
        if (items.length === 0) return root.replaceChildren(placeholder('No devices', 'This machine has none that can be shown.'));
        await tree.show(items);
        if (!tree.element.isConnected) root.replaceChildren(h('div', { class: 'fill scroll' }, tree.element));
    } catch (error) {
        root.replaceChildren(failure(error));
    }
});

function note(items: Item[]): void {
    for (const item of items) {
        now.set(item.path, item.value);
        if (item.fields) note(itemsOf(item.fields, item.path));
    }
}

function onState(next: ViewState): void {
    state = next;
    if (!next.session) root.replaceChildren(noSession('Devices shows interrupt controllers, timers, serial ports and disks, with their registers.'));
    else if (next.change === 'moved' || next.change === 'session') refresh();
}

start(onState);
