// The name under which a visitor speaks: from the address, from the last visit, or a friendly one to start with.

import {param} from '../shared/page.ts';

const key = 'pulsewire-name';
const firsts = ['Quiet', 'Bright', 'Swift', 'Gentle', 'Clever', 'Merry', 'Bold', 'Calm'];
const seconds = ['Heron', 'Otter', 'Finch', 'Lynx', 'Maple', 'Comet', 'Harbor', 'Willow'];

export function startingName(): string {
    const asked = param('name')?.trim().slice(0, 40);
    if (asked) return asked;
    try {
        const stored = localStorage.getItem(key);
        if (stored) return stored;
    } catch {
        // Without storage a new name is drawn at each visit.
    }
    return ofThisTab('pulsewire-drawn-name', `${drawn(firsts)} ${drawn(seconds)}`);
}

export function storeName(name: string): void {
    try {
        localStorage.setItem(key, name);
    } catch {
        // The name holds for this visit.
    }
}

/** A random name of this tab, by which it knows its own messages again: names of people are not unique. */
export const authorId = (): string => ofThisTab('pulsewire-author', drawnSecret());

/** 96 random bits as text. */
export const drawnSecret = (): string => Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Drawn once and kept when the page is reloaded. Two windows of one browser are two visitors. */
export function ofThisTab(name: string, fresh: string): string {
    try {
        const stored = sessionStorage.getItem(name) ?? fresh;
        sessionStorage.setItem(name, stored);
        return stored;
    } catch {
        return fresh;  // for this visit
    }
}

/** One of six tones, always the same for the same name. */
export function toneOf(name: string): number {
    let sum = 0;
    for (const character of name) sum = (sum * 31 + character.codePointAt(0)!) % 9973;
    return sum % 6;
}

export const initialOf = (name: string): string => [...name][0]?.toUpperCase() ?? '?';

const drawn = (words: string[]): string => words[Math.floor(Math.random() * words.length)]!;
