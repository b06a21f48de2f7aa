import {createRoot, hydrateRoot} from 'react-dom/client';
import {More} from './more';
import {type ChatProps, suspendingTree, tree} from './tree';

const element = document.getElementById('root')!;
const root = element.hasChildNodes() ? hydrateRoot(element, tree({room: 'hydrated', user: 'Ada'})) : createRoot(element);
const show = (...chats: ChatProps[]) => root.render(tree(...chats));

/** A chat whose tree suspends before it was ever there; `release` lets it go on. */
const suspend = (room: string) => new Promise<void>((release) => {
    root.render(suspendingTree(room, new Promise((resolve) => Object.assign(globalThis, {release: resolve}))));
    release();
});
const more = (room: string | undefined, reading: boolean) => root.render(<More room={room} reading={reading} />);

Object.assign(globalThis, {show, suspend, more});
