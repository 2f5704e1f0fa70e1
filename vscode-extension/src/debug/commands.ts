import * as vscode from 'vscode';
import type { TimelineKind, TtvmBookmarks, TtvmFound, TtvmOriginArguments, TtvmPosition } from '../protocol';
import { messageOf, withThousands } from '../text';
import type { OriginView } from '../views/originView';
import type { TranslatedCode } from '../views/translatedCode';
import type { ShowAddress } from '../views/views';
import { restoreBreakpoints, saveBreakpoints } from './savedBreakpoints';
import type { Sessions, TtvmSession } from './sessions';

const EVENTS: { kind: TimelineKind; label: string }[] = [
    { kind: 'exception', label: 'exception' }, { kind: 'interrupt', label: 'interrupt' }, { kind: 'systemCall', label: 'system call' },
    { kind: 'contextSwitch', label: 'context switch' }, { kind: 'schedule', label: 'turn of another vCPU' }, { kind: 'input', label: 'input' },
    { kind: 'consoleLine', label: 'console line' }
];

/** Commands that need a session. Each is a request to the server; where it moves to, the server's own events say. */
export function registerCommands(context: vscode.ExtensionContext, sessions: Sessions, show: ShowAddress, origin: OriginView, translated: TranslatedCode): void {
    const add = (id: string, action: (session: TtvmSession, ...args: unknown[]) => Promise<void>) => context.subscriptions.push(
        vscode.commands.registerCommand(id, async (...args: unknown[]) => {
            const session = sessions.active;
            if (!session) return void vscode.window.showInformationMessage('Start debugging a recording first: press F5.');
            try {
                await action(session, ...args);
            } catch (error) {
                void vscode.window.showErrorMessage(messageOf(error));
            }
        }));

    const reverse = (request: string) => async (session: TtvmSession, args: unknown) => {
        const granularity = (args as { granularity?: string } | undefined)?.granularity;
        await session.request(request, { threadId: sessions.threadId ?? 1, ...(granularity ? { granularity } : {}) });
    };
    add('ttvm.reverseStepInto', reverse('ttvm/reverseStepIn'));
    add('ttvm.reverseStepOut', reverse('ttvm/reverseStepOut'));
    add('ttvm.returnToRecording', async session => { await session.request('ttvm/returnToRecording'); });
    add('ttvm.seek', async (session, target) => {
        const position = typeof target === 'string' ? target : await askPosition(session.position);
        if (position) await session.request('ttvm/seek', { position });
    });
    add('ttvm.gotoEvent', async session => {
        const items = EVENTS.flatMap(({ kind, label }) => [
            { label: `$(arrow-right) Next ${label}`, event: kind, reverse: false }, { label: `$(arrow-left) Last ${label}`, event: kind, reverse: true }]);
        const item = await vscode.window.showQuickPick(items, { title: 'Go to which event?' });
        if (item) report(await session.request<TtvmFound>('ttvm/gotoEvent', { kind: item.event, reverse: item.reverse }));
    });
    add('ttvm.lastWrite', async (session, target) => { await findWrite(session, 'ttvm/lastWrite', target); });
    add('ttvm.nextWrite', async (session, target) => { await findWrite(session, 'ttvm/nextWrite', target); });
    add('ttvm.findOrigin', async (_, target) => {
        const value = originOf(target) ?? { evaluateName: await askValue() };
        const name = value.evaluateName ?? value.memoryReference;
        if (name) await origin.show(name, { ...value, threadId: sessions.threadId });
    });
    add('ttvm.showTranslatedCode', async () => { await translated.show(); });
    add('ttvm.showCalls', async (_, target) => { await show('calls', wordOf(target) ?? await askFunction('Show the calls of which function?')); });
    add('ttvm.lastCall', async (session, target) => { await findCall(session, false, target); });
    add('ttvm.nextCall', async (session, target) => { await findCall(session, true, target); });
    add('ttvm.showMemory', async (_, target) => { await show('memory', targetOf(target, true)?.address ?? await askAddress('Show memory at')); });
    add('ttvm.translateAddress', async (_, target) => { await show('pageTables', targetOf(target, true)?.address ?? await askAddress('Translate')); });
    add('ttvm.toggleRadix', async session => {
        session.radix = session.radix === 16 ? 10 : 16;
        await session.request('ttvm/radix', { radix: session.radix });
    });
    add('ttvm.memory.breakOnWrite', async (_, target) => { breakOn('write', target); });
    add('ttvm.memory.breakOnAccess', async (_, target) => { breakOn('access', target); });
    add('ttvm.saveBreakpoints', saveBreakpoints);
    addBookmarks(add);
    context.subscriptions.push(vscode.debug.onDidStartDebugSession(session => { if (session.type === 'ttvm') void restoreBreakpoints(session); }));
}

function addBookmarks(add: (id: string, action: (session: TtvmSession, ...args: unknown[]) => Promise<void>) => void): void {
    const pick = async (session: TtvmSession, title: string) => {
        const { bookmarks } = await session.request<TtvmBookmarks>('ttvm/bookmarks');
        if (bookmarks.length === 0) return void vscode.window.showInformationMessage('This recording has no bookmarks yet.');
        const items = bookmarks.map(bookmark => ({ label: `$(bookmark) ${bookmark.name}`, description: withThousands(bookmark.position), detail: bookmark.note, bookmark }));
        return (await vscode.window.showQuickPick(items, { title, matchOnDetail: true }))?.bookmark;
    };
    add('ttvm.addBookmark', async session => {
        const at = session.position ? ` ${withThousands(session.position.position)}` : '';
        const name = await vscode.window.showInputBox({ title: `Bookmark position${at}`, prompt: 'Its name. It is kept beside the recording.', validateInput: text => text.trim() ? undefined : 'A bookmark needs a name.' });
        if (name) await session.request('ttvm/setBookmark', { name: name.trim() });
    });
    add('ttvm.gotoBookmark', async session => {
        const bookmark = await pick(session, 'Go to which bookmark?');
        if (bookmark) await session.request('ttvm/seek', { position: bookmark.position });
    });
    add('ttvm.removeBookmark', async session => {
        const bookmark = await pick(session, 'Remove which bookmark?');
        if (bookmark) await session.request('ttvm/removeBookmark', { name: bookmark.name });
    });
}

/** What a context menu hands over: a variable of VS Code's, or a byte of the Memory view. */
interface Target { address: string; bytes?: number }

function targetOf(from: unknown, wantsReference: boolean): Target | undefined {
    if (typeof from === 'string') return { address: from };
    const { variable, address, bytes } = (from ?? {}) as { variable?: { evaluateName?: string; memoryReference?: string; name: string }; address?: string; bytes?: number };
    if (address) return { address, bytes };
    if (!variable) return undefined;
    const { evaluateName, memoryReference, name } = variable;
    return { address: (wantsReference ? memoryReference ?? evaluateName : evaluateName ?? memoryReference) ?? name };
}

/** The value that a menu was opened on: a byte of the Memory view, a variable, or what is selected in the editor. */
function originOf(from: unknown): TtvmOriginArguments | undefined {
    const { variable, address, bytes } = (typeof from === 'object' && from ? from : {}) as { variable?: { evaluateName?: string; name: string }; address?: string; bytes?: number };
    if (address) return { memoryReference: address, count: bytes ?? 1 };
    if (variable) return { evaluateName: variable.evaluateName ?? variable.name };
    const text = wordOf(from);
    return text ? { evaluateName: text } : undefined;
}

/** A text, or what is selected in the editor that a menu was opened in, else the word there. */
function wordOf(from: unknown): string | undefined {
    return typeof from === 'string' ? from : from instanceof vscode.Uri ? selectedWord() : undefined;
}

function selectedWord(): string | undefined {
    const editor = vscode.window.activeTextEditor;
    const range = editor && (editor.selection.isEmpty ? editor.document.getWordRangeAtPosition(editor.selection.active) : editor.selection);
    return range && editor.document.getText(range).trim() || undefined;
}

function askFunction(title: string): Thenable<string | undefined> {
    return vscode.window.showInputBox({ title, prompt: 'A function by name or address', placeHolder: 'vfs_write, 0xffffffff81000000', value: selectedWord() });
}

async function findCall(session: TtvmSession, forward: boolean, from: unknown): Promise<void> {
    const name = wordOf(from) ?? await askFunction(forward ? 'Run to the next call of' : 'Run back to the last call of');
    if (name) report(await session.request<TtvmFound>('ttvm/findCall', { function: name, forward }));
}

function askValue(): Thenable<string | undefined> {
    return vscode.window.showInputBox({ title: 'Where does which value come from?', prompt: 'A register, memory or a symbol', placeHolder: 'rax, dword[rsp+8], byte phys[0x1000]' });
}

async function findWrite(session: TtvmSession, request: string, from: unknown): Promise<void> {
    const which = request === 'ttvm/lastWrite' ? 'last' : 'next';
    const target = targetOf(from, false) ?? { address: await askAddress(`Go to the ${which} write of`) ?? '' };
    if (target.address) report(await session.request<TtvmFound>(request, target));
}

function report(found: TtvmFound): void {
    if (!found.found) void vscode.window.showInformationMessage(`${found.description.charAt(0).toUpperCase()}${found.description.slice(1)}.`);
}

/**
 * Extensions cannot set data breakpoints, but function breakpoints they can, which users see, switch off and remove in the same list: the server reads
 * "write 0x1000 8" as one on data.
 */
function breakOn(access: string, from: unknown): void {
    const target = targetOf(from, true);
    if (target) vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint(`${access} ${target.address} ${target.bytes ?? 1}`)]);
}

function askAddress(title: string): Thenable<string | undefined> {
    return vscode.window.showInputBox({ title, prompt: 'An address (0xffffffff81000000, phys:0x1000), a register or an expression', placeHolder: '0x…, rsp, phys:0x1000' });
}

function askPosition(here: TtvmPosition | undefined): Thenable<string | undefined> {
    return vscode.window.showInputBox({
        title: 'Go to position',
        prompt: here ? `Now at ${withThousands(here.position)} of ${withThousands(here.end)}. An instruction count, count:event, a percentage, start or end.`
            : 'An instruction count, count:event, a percentage, start or end.',
        value: here?.position, placeHolder: '123456, 123456:2, 50%, start, end',
        validateInput: text => /^\s*(start|end|\d+(\.\d+)?\s*%|[\d,_]+(:\d+)?)\s*$/i.test(text) ? undefined : 'A position is 123456, 123456:2, 50%, start or end.'
    }).then(text => text?.trim().toLowerCase().replace(/[,_\s]/g, ''));
}
