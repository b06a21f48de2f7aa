// The little that the pages need of the DOM. Text from the network goes through `textContent` only.

/** The element with this id; a page without it is a mistake of ours, so it says so. */
export function byId<T extends Element = HTMLElement>(id: string): T {
    const element = document.getElementById(id);
    if (!element) throw new Error(`the page has no element #${id}`);
    return element as unknown as T;
}

type Attributes = Record<string, string | number | boolean | undefined>;

/** A new element. `text` becomes its text, everything else an attribute; `false` and `undefined` leave one out. */
export function make<K extends keyof HTMLElementTagNameMap>(
    tag: K, attributes: Attributes = {}, ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (value === undefined || value === false) continue;
        if (name === 'text') element.textContent = String(value);
        else element.setAttribute(name, value === true ? '' : String(value));
    }
    element.append(...children);
    return element;
}

const svgNamespace = 'http://www.w3.org/2000/svg';

export function makeSvg<K extends keyof SVGElementTagNameMap>(
    tag: K, attributes: Attributes = {}, ...children: Node[]
): SVGElementTagNameMap[K] {
    const element = document.createElementNS(svgNamespace, tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (value !== undefined && value !== false) element.setAttribute(name, String(value));
    }
    element.append(...children);
    return element;
}

/** Keeps a list from growing for ever: drops its first children until `max` are left. */
export function keepNewest(list: Element, max: number): void {
    while (list.childElementCount > max) list.firstElementChild?.remove();
}

export const prefersReducedMotion = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;
