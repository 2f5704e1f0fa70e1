import { h, type Child } from './page';

/** How a tree of items is shown. */
export interface TreeSource<T> {
    columns: { title: string; class?: string }[];
    /** Stable over refreshes: what was expanded stays so. */
    key(item: T): string;
    /** One cell per column. */
    cells(item: T): Child[][];
    hasChildren(item: T): boolean;
    children(item: T): Promise<T[]>;
    rowClass?(item: T): string;
    /** For the context menu, as `data-vscode-context`. */
    context?(item: T): object | undefined;
}

interface Row<T> { item: T; key: string; level: number; element: HTMLTableRowElement }

/** A table whose rows unfold, with the keys of VS Code's own trees. */
export class TreeGrid<T> {
    readonly element: HTMLTableElement;
    private readonly body = h('tbody');
    private readonly expanded = new Set<string>();
    private rows: Row<T>[] = [];
    private generation = 0;

    constructor(private readonly source: TreeSource<T>, label: string) {
        this.element = h('table', { class: 'grid', role: 'treegrid', 'aria-label': label, onkeydown: (event: KeyboardEvent) => this.onKey(event) },
            h('thead', {}, h('tr', { role: 'row' }, ...source.columns.map(column => h('th', { role: 'columnheader', class: column.class, scope: 'col' }, column.title)))), this.body);
    }

    /** Shows these at the top level. What was unfolded is read again; the old rows stay until the new ones are complete. */
    async show(items: T[]): Promise<void> {
        const generation = ++this.generation;
        const rows: Row<T>[] = [];
        await this.collect(items, 1, rows);
        if (generation !== this.generation) return;
        const focused = this.rows.find(row => row.element.contains(document.activeElement))?.key;
        this.rows = rows;
        this.body.replaceChildren(...rows.map(row => row.element));
        const next = rows.find(row => row.key === focused) ?? rows[0];
        if (next) next.element.tabIndex = 0;
        if (focused !== undefined) next?.element.focus();
    }

    /** Unfolds each key in turn and brings the last into view. */
    async reveal(keys: string[]): Promise<void> {
        let row: Row<T> | undefined;
        for (const key of keys) {
            row = this.rows.find(each => each.key === key);
            if (!row) return;
            if (key !== keys.at(-1)) await this.expand(row);
        }
        if (row) this.focus(row);
    }

    private async collect(items: T[], level: number, rows: Row<T>[]): Promise<void> {
        for (const item of items) {
            const row = this.makeRow(item, level);
            rows.push(row);
            if (this.source.hasChildren(item) && this.expanded.has(row.key)) await this.collect(await this.source.children(item).catch(() => []), level + 1, rows);
        }
    }

    private makeRow(item: T, level: number): Row<T> {
        const key = this.source.key(item), isParent = this.source.hasChildren(item);
        const [first, ...rest] = this.source.cells(item);
        const twistie = h('span', { class: isParent ? 'twistie' : 'twistie none', 'aria-hidden': 'true' });
        const context = this.source.context?.(item);
        const element = h('tr', {
            role: 'row', 'aria-level': level, tabindex: -1, class: this.source.rowClass?.(item) ?? '', 'data-level': level,
            'aria-expanded': isParent ? String(this.expanded.has(key)) : undefined, 'data-vscode-context': context ? JSON.stringify(context) : undefined,
        }, h('td', { role: 'gridcell', class: this.source.columns[0].class }, h('span', { class: `indent indent-${Math.min(level, 8)}` }), twistie, ...first),
            ...rest.map((cell, i) => h('td', { role: 'gridcell', class: this.source.columns[i + 1].class }, ...cell)));
        const row = { item, key, level, element };
        element.addEventListener('click', event => {
            this.focus(row);
            if (isParent && !(event.target as Element).closest('button')) void this.toggle(row);
        });
        return row;
    }

    private async toggle(row: Row<T>): Promise<void> { await (this.expanded.has(row.key) ? this.collapse(row) : this.expand(row)); }

    private async expand(row: Row<T>): Promise<void> {
        if (this.expanded.has(row.key) || !this.source.hasChildren(row.item)) return;
        this.expanded.add(row.key);
        row.element.setAttribute('aria-expanded', 'true');
        const added: Row<T>[] = [], generation = this.generation;
        await this.collect(await this.source.children(row.item).catch(() => []), row.level + 1, added);
        const at = this.rows.indexOf(row);
        if (generation !== this.generation || at < 0 || !this.expanded.has(row.key)) return;
        this.rows.splice(at + 1, 0, ...added);
        row.element.after(...added.map(each => each.element));
    }

    private collapse(row: Row<T>): void {
        this.expanded.delete(row.key);
        row.element.setAttribute('aria-expanded', 'false');
        const at = this.rows.indexOf(row);
        let end = at + 1;
        while (end < this.rows.length && this.rows[end].level > row.level) this.rows[end++].element.remove();
        this.rows.splice(at + 1, end - at - 1);
    }

    private focus(row: Row<T>): void {
        for (const other of this.rows) other.element.tabIndex = other === row ? 0 : -1;
        row.element.focus({ preventScroll: true });
        row.element.scrollIntoView({ block: 'nearest' });
    }

    private onKey(event: KeyboardEvent): void {
        const at = this.rows.findIndex(row => row.element === document.activeElement);
        if (at < 0) return;
        const row = this.rows[at];
        const isOpen = this.expanded.has(row.key);
        let next: Row<T> | undefined;
        switch (event.key) {
            case 'ArrowDown': next = this.rows[at + 1]; break;
            case 'ArrowUp': next = this.rows[at - 1]; break;
            case 'Home': next = this.rows[0]; break;
            case 'End': next = this.rows.at(-1); break;
            case 'ArrowRight':
                if (!isOpen) void this.expand(row);
                else next = this.rows[at + 1];
                break;
            case 'ArrowLeft':
                if (isOpen) this.collapse(row);
                else next = this.rows.slice(0, at).findLast(each => each.level < row.level);
                break;
            case 'Enter': case ' ': void this.toggle(row); break;
            default: return;
        }
        event.preventDefault();
        if (next) this.focus(next);
    }
}
