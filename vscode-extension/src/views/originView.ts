import * as vscode from 'vscode';
import type { Sessions } from '../debug/sessions';
import type { OriginKind, TtvmOrigin, TtvmOriginArguments, TtvmOriginNode } from '../protocol';
import { withThousands } from '../text';

const ICONS: { [kind in OriginKind]: string } = {
    notFollowed: 'ellipsis', copy: 'arrow-left', computed: 'symbol-operator', constant: 'symbol-constant', parts: 'split-horizontal', input: 'keyboard', disk: 'database', dma: 'circuit-board',
    port: 'plug', mmio: 'circuit-board', processor: 'chip', hardware: 'zap', image: 'file-binary', powerOn: 'circle-outline', unexplained: 'warning'
};

/** A row: a value on the way to its origin. Values that several others were made of appear below each. */
interface Row { node: TtvmOriginNode; role?: string; isInChain: boolean }

/**
 * The tree Origin: the main chain from top to bottom, and below each of its values what else that was made from. A click goes to the instruction.
 */
export class OriginView implements vscode.TreeDataProvider<Row>, vscode.Disposable {
    private readonly changed = new vscode.EventEmitter<void>();
    private readonly tree: vscode.TreeView<Row>;
    private readonly subscription: vscode.Disposable;
    private origin: TtvmOrigin | undefined;
    readonly onDidChangeTreeData = this.changed.event;

    constructor(private readonly sessions: Sessions) {
        this.tree = vscode.window.createTreeView('ttvm.origin', { treeDataProvider: this, showCollapseAll: true });
        this.subscription = sessions.onDidChange(change => { if (change === 'session' && !sessions.active) this.clear(); });
    }

    dispose(): void { vscode.Disposable.from(this.changed, this.tree, this.subscription).dispose(); }

    /** Asks where a value comes from, and shows it. */
    async show(name: string, args: TtvmOriginArguments): Promise<void> {
        const session = this.sessions.active;
        if (!session) return;
        await vscode.commands.executeCommand('ttvm.origin.focus');
        const origin = await vscode.window.withProgress({ location: { viewId: 'ttvm.origin' } }, () => session.request<TtvmOrigin>('ttvm/origin', args));
        this.origin = origin;
        this.tree.description = `${name} at ${withThousands(origin.position)}`;
        this.changed.fire();
    }

    getChildren(row?: Row): Row[] {
        if (!this.origin) return [];
        const { nodes, chain } = this.origin;
        if (!row) return chain.map(id => ({ node: nodes[id], isInChain: true }));
        return row.node.inputs.filter(input => !row.isInChain || !input.isMain).map(input => ({ node: nodes[input.id], role: input.role, isInChain: false }));
    }

    getTreeItem({ node, role, isInChain }: Row): vscode.TreeItem {
        const hasChildren = node.inputs.some(input => !isInChain || !input.isMain);
        const item = new vscode.TreeItem(`${role === 'address' ? 'address ' : ''}${node.location} = ${node.text}`,
            hasChildren ? vscode.TreeItemCollapsibleState.Collapsed : vscode.TreeItemCollapsibleState.None);
        const place = node.source?.name && node.line ? `${node.source.name}:${node.line}` : node.symbol ?? node.instructionAddress;
        item.description = [node.position && withThousands(node.position), node.instruction, place].filter(Boolean).join('  ');
        item.tooltip = [node.text, node.instruction, place, node.threadId && `vCPU ${node.threadId - 1}`, node.position && `position ${withThousands(node.position)}`].filter(Boolean).join('\n');
        item.iconPath = new vscode.ThemeIcon(ICONS[node.kind]);
        if (node.position) item.command = { command: 'ttvm.seek', title: 'Go There', arguments: [node.position] };
        return item;
    }

    private clear(): void {
        this.origin = undefined;
        this.tree.description = undefined;
        this.changed.fire();
    }
}
