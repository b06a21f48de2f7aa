import {hydrate, mount} from 'svelte';
import Chats from './chats.svelte';

const target = document.getElementById('root')!;
const rendered = target.hasChildNodes();
const props = $state({chats: rendered ? [{room: 'hydrated', user: 'Ada'}] : []});
(rendered ? hydrate : mount)(Chats, {target, props});

function show(...chats: {room: string; user: string}[]) {
    props.chats = chats;
}
Object.assign(globalThis, {show});
