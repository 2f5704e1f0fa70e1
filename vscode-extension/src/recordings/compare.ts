import * as path from 'node:path';
import * as vscode from 'vscode';
import { findCandidates } from '../debug/candidates';
import { findServer, runJson } from '../server';
import { messageOf, withThousands } from '../text';

const SCHEME = 'ttvm-compare';

interface Side { file: string; place?: string; consoleText?: string; registersText?: string; trace?: string[] }
interface Moment { position: string; cpu: number }
/** What `ttvm diff --json` says, as far as it is shown. */
interface Comparison { same: boolean; a: Side; b: Side; instruction?: { a: Moment | null; b: Moment | null } }

/** Shows where two recordings part, side by side: what their guests printed, and what they executed around the first difference. */
export class Comparisons implements vscode.TextDocumentContentProvider, vscode.Disposable {
    private readonly texts = new Map<string, string>();
    private readonly subscriptions: vscode.Disposable[];
    private count = 0;

    constructor(private readonly context: vscode.ExtensionContext, private readonly chooseRecording: (title: string) => Promise<vscode.Uri | undefined>) {
        this.subscriptions = [
            vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
            vscode.commands.registerCommand('ttvm.compare', (uri?: unknown, all?: unknown) => this.compare(uri, all)),
            // A text is kept as long as somebody looks at it.
            vscode.workspace.onDidCloseTextDocument(document => this.texts.delete(document.uri.toString()))
        ];
    }

    dispose(): void { for (const each of this.subscriptions) each.dispose(); }

    provideTextDocumentContent(uri: vscode.Uri): string { return this.texts.get(uri.toString()) ?? 'This comparison is gone: make it again.'; }

    private async compare(uri: unknown, all: unknown): Promise<void> {
        // The explorer hands over what is selected there.
        const selected = Array.isArray(all) ? all.filter((each): each is vscode.Uri => each instanceof vscode.Uri && each.path.endsWith('.ttvm')) : [];
        const first = selected[0] ?? (uri instanceof vscode.Uri ? uri : await this.chooseRecording('Compare which recording?'));
        if (!first) return;
        const second = selected[1] ?? await this.chooseOther(first);
        if (!second) return;
        try {
            const location = vscode.ProgressLocation.Notification, title = `Comparing ${path.basename(first.fsPath)} with ${path.basename(second.fsPath)}`;
            const found = await vscode.window.withProgress({ location, title }, () => {
                return runJson<Comparison>(findServer(this.context.extensionPath), ['diff', first.fsPath, second.fsPath, '--json'], [0, 1]);
            });
            await this.show(found);
        } catch (error) {
            void vscode.window.showErrorMessage(messageOf(error));
        }
    }

    private async chooseOther(first: vscode.Uri): Promise<vscode.Uri | undefined> {
        const folder = vscode.workspace.getWorkspaceFolder(first);
        const others = (await findCandidates(folder)).filter(each => each.isRecording && each.file.fsPath !== first.fsPath);
        const browse = { label: '$(folder-opened) Browse...', file: undefined as vscode.Uri | undefined };
        const items = [...others.map(({ file }) => ({ label: path.basename(file.fsPath), description: vscode.workspace.asRelativePath(file), file })), browse];
        const choice = await vscode.window.showQuickPick(items, { title: `Compare ${path.basename(first.fsPath)} with which recording?`, matchOnDescription: true });
        if (choice !== browse) return choice?.file;
        return (await vscode.window.showOpenDialog({ title: 'Compare with which recording?', openLabel: 'Compare', filters: { Recordings: ['ttvm'] } }))?.[0];
    }

    private async show({ same, a, b, instruction }: Comparison): Promise<void> {
        const names = `${path.basename(a.file)} ↔ ${path.basename(b.file)}`;
        if (same) {
            void vscode.window.showInformationMessage(`${names}: the same run, state by state.`);
            return;
        }
        await this.openDiff(`${names} (Console)`, 'console.txt', a.consoleText ?? '', b.consoleText ?? '');
        await this.openDiff(`${names} (Instructions)`, 'instructions.txt', instructionsOf(a, instruction?.a), instructionsOf(b, instruction?.b));
    }

    private async openDiff(title: string, name: string, a: string, b: string): Promise<void> {
        const number = ++this.count;
        const [left, right] = ([['a', a], ['b', b]] as const).map(([side, text]) => {
            const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${number}/${side}/${name}` });
            this.texts.set(uri.toString(), text);
            return uri;
        });
        await vscode.commands.executeCommand('vscode.diff', left, right, title, { preview: false });
    }
}

function instructionsOf({ place, registersText, trace }: Side, moment: Moment | null | undefined): string {
    const head = moment ? `at ${withThousands(moment.position)}, vCPU ${moment.cpu}: ${place ?? ''}` : moment === null ? 'the recording ends' : `no other instruction found; at ${place ?? ''}`;
    return `${head}\n\n${(trace ?? []).join('\n')}\n\n${registersText ?? ''}`;
}
