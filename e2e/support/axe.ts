// The rules of WCAG that a program can check, by axe-core.

import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import type {Page} from './test.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation { id: string; help: string; nodes: {target: string[]}[] }

/** Each rule that the page breaks, with the first element that does. The page must be open with `bypassCSP`. */
export async function violationsOf(page: Page): Promise<string[]> {
    await page.evaluate(axe);
    const {violations} = await page.evaluate('axe.run()') as {violations: Violation[]};
    return violations.map(({id, help, nodes}) => `${id}: ${help}: ${nodes[0]!.target.join(' ')}`);
}
