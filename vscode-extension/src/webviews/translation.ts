import type { TtvmTranslation } from '../protocol';
import { h } from './page';

/** The walk of one linear address: a row for each level, and what comes of it. */
export function translationElement(translation: TtvmTranslation, jump: (address: string) => HTMLElement, close: () => void): HTMLElement {
    const { linear, mode, steps, physical, pageSize, access, fault, shadow } = translation;
    const result = physical ? h('span', {}, '→ ', jump(physical.startsWith('phys:') ? physical : `phys:${physical}`), ` ${[pageSize && `${pageSize} page`, access].filter(Boolean).join(', ')}`)
        : h('strong', { class: 'problem' }, 'not mapped');
    return h('section', { 'aria-label': `Translation of ${linear}` },
        h('header', {}, h('span', { class: 'mono' }, linear), ' ', result, h('span', { class: 'faint' }, ` ${mode}`),
            h('button', { class: 'icon close', title: 'Close', 'aria-label': 'Close', onclick: close }, '✕')),
        steps.length > 0 && h('table', { class: 'grid walk-steps' },
            h('thead', {}, h('tr', {}, ...['Level', 'Entry at', 'Value', 'Bits', 'What it says'].map(head => h('th', { scope: 'col' }, head)))),
            h('tbody', {}, ...steps.map(step => h('tr', {}, h('td', {}, `${step.level}[${step.index}]`), h('td', { class: 'mono' }, step.entryAddress), h('td', { class: 'mono' }, step.value),
                h('td', {}, ...step.bits.filter(bit => bit.isSet).map(bit => h('span', { class: `bit bit-${bit.name.toLowerCase()}`, title: bit.meaning }, bit.name))), h('td', { class: 'wrap' }, step.explanation))))),
        fault && h('p', { class: 'problem' }, fault),
        shadow && h('p', {}, 'Shadow: ', h('span', { class: `badge ${shadow.state.replace(/ /g, '-')}` }, shadow.state), shadow.machine ? h('span', { class: 'mono' }, ` ${shadow.machine}`) : null, ` ${shadow.why}`));
}
