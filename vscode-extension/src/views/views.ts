import * as vscode from 'vscode';
import type { Sessions } from '../debug/sessions';
import type { AddressView } from './messages';
import { View } from './view';

/** Shows an address in a view; nothing to show is nothing to do. */
export type ShowAddress = (view: AddressView, address: string | undefined) => Promise<void>;

const REQUESTS: { [view: string]: readonly string[] } = {
    timeline: ['ttvm/timeline', 'ttvm/lockHistory', 'ttvm/seek'],
    pageTables: ['ttvm/pageTable', 'ttvm/translate', 'ttvm/ranges', 'ttvm/tableChanges', 'threads'],
    locks: ['ttvm/locks', 'ttvm/lockHistory', 'ttvm/lockFindings', 'ttvm/lockClasses', 'ttvm/lockSeek', 'ttvm/swaps', 'ttvm/rcu', 'ttvm/rcuReaders', 'ttvm/rcuFindings', 'ttvm/rcuSeek',
        'ttvm/channels', 'ttvm/channelFindings', 'ttvm/channelSeek', 'ttvm/seek', 'threads'],
    console: ['ttvm/console', 'ttvm/type', 'ttvm/seek'],
    memory: ['readMemory', 'writeMemory', 'evaluate'],
    calls: ['ttvm/calls', 'ttvm/seek'],
    devices: ['ttvm/devices']
};

/** Registers all views. */
export function registerViews(context: vscode.ExtensionContext, sessions: Sessions): ShowAddress {
    const views = new Map<string, View>();
    const show: ShowAddress = async (name, address) => { if (address) await views.get(name)?.open(address); };
    for (const [name, requests] of Object.entries(REQUESTS)) {
        const view = new View(context, sessions, name, requests, (target, address) => void show(target, address));
        views.set(name, view);
        context.subscriptions.push(view, vscode.window.registerWebviewViewProvider(`ttvm.${name}`, view));
    }
    context.subscriptions.push(vscode.debug.onDidStartDebugSession(session => {
        if (session.type !== 'ttvm' || !vscode.workspace.getConfiguration('ttvm').get('timeline.openOnStart', true)) return;
        void vscode.commands.executeCommand('ttvm.timeline.focus', { preserveFocus: true });
    }));
    return show;
}
