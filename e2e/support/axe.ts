// The rules of WCAG that a program can check, by axe-core.

import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import type {Page} from './test.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation { id: string; help: string; nodes: {target: string[]}[] }

/** Each rule that the page breaks, with the first element that does. The page must be open with `bypassCSP`. */
export async function violationsOf(page: Page): Promise<string[]> {
    if (!await page.evaluate('"axe" in globalThis')) await page.evaluate(axe);
    // A colour on its way to another theme's is neither.
    await page.evaluate(() => Promise.all(document.getAnimations().filter((running) => running instanceof CSSTransition).map(({finished}) => finished.catch(() => {}))));
    const {violations} = await page.evaluate('axe.run()') as {violations: Violation[]};
    return violations.map(({id, help, nodes}) => `${id}: ${help}: ${nodes[0]!.target.join(' ')}`);
}
