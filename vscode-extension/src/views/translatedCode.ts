import * as vscode from 'vscode';
import type { Change, Sessions } from '../debug/sessions';
import type { TtvmTranslatedCode, TtvmTranslatedLine } from '../protocol';
import { messageOf, withThousands } from '../text';

const ADDRESS = vscode.Uri.parse('ttvm-translated:/Translated Code');

/** A read-only document: the block that the vCPU executes next, beside the host code that the translator makes of it. It follows the session. */
export class TranslatedCode implements vscode.TextDocumentContentProvider, vscode.Disposable {
    private readonly changed = new vscode.EventEmitter<vscode.Uri>();
    private readonly subscriptions: vscode.Disposable;
    readonly onDidChange = this.changed.event;

    constructor(private readonly sessions: Sessions) {
        this.subscriptions = vscode.Disposable.from(this.changed, vscode.workspace.registerTextDocumentContentProvider(ADDRESS.scheme, this),
            sessions.onDidChange(change => this.onSession(change)));
    }

    dispose(): void { this.subscriptions.dispose(); }

    /** Opens it beside the source. */
    async show(): Promise<void> {
        const document = await vscode.workspace.openTextDocument(ADDRESS);
        this.changed.fire(ADDRESS);
        await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true, preview: false });
    }

    async provideTextDocumentContent(): Promise<string> {
        const session = this.sessions.active;
        if (!session?.isStopped) return 'Stop a recording first.\n';
        try {
            return textOf(await session.request<TtvmTranslatedCode>('ttvm/translatedCode', { threadId: this.sessions.threadId ?? 1 }));
        } catch (error) {
            return `${messageOf(error)}\n`;
        }
    }

    private onSession(change: Change): void {
        const isOpen = vscode.workspace.textDocuments.some(document => document.uri.toString() === ADDRESS.toString());
        if (isOpen && (change === 'moved' || change === 'session')) this.changed.fire(ADDRESS);
    }
}

function textOf(code: TtvmTranslatedCode): string {
    const title = `vCPU ${code.threadId - 1} at ${withThousands(code.position)}`;
    if (code.reason) return `${title}: ${code.reason}\n`;
    const lines = [`${title}: the guest's block, and its ${code.hostBytes} bytes of host code`, ''];
    const behind = code.lines.findIndex(line => line.isBehind);
    const main = behind < 0 ? code.lines : code.lines.slice(0, behind);
    // No wider than this block needs: the host's code is to be seen in half a window.
    const width = Math.max(...main.map(line => guestOf(line).length)) + 2;
    lines.push(...main.map(line => lineOf(line, width)));
    if (behind >= 0) lines.push('', 'Slow paths, and ways out of the code', '', ...code.lines.slice(behind).map(line => lineOf(line, 2)));
    return `${lines.join('\n')}\n`;
}

function guestOf(line: TtvmTranslatedLine): string {
    return line.address ? `${line.address}  ${line.guest}${line.isByHandler ? '  (handler)' : ''}` : '';
}

function lineOf(line: TtvmTranslatedLine, width: number): string {
    const guest = guestOf(line);
    return line.offset === undefined ? guest : `${guest.padEnd(width)}${line.offset.toString(16).padStart(4)}  ${line.host}`;
}
