import {createSignal, Index} from 'solid-js';
import {render} from 'solid-js/web';
import {Chat} from './chat';

const [chats, setChats] = createSignal<{room: string; user: string}[]>([]);
render(() => <Index each={chats()}>{(chat) => <Chat {...chat()} />}</Index>, document.getElementById('root')!);

const show = (...wanted: {room: string; user: string}[]) => void setChats(wanted);
Object.assign(globalThis, {show});
