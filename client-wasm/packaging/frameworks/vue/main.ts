import {createApp, createSSRApp, effectScope, shallowRef, watch} from 'vue';
import {useChannel} from 'pulsewire/vue';
import {chatsOf, type ChatProps} from './chats';
import {realtime} from './realtime';

const element = document.getElementById('root')!;
const chats = shallowRef<ChatProps[]>([]);
if (element.hasChildNodes()) {
    chats.value = [{room: 'hydrated', user: 'Ada'}];
    createSSRApp(chatsOf(chats)).mount(element);
} else createApp(chatsOf(chats)).mount(element);

const show = (...wanted: ChatProps[]) => void (chats.value = wanted);
/** As a store of the application would use it. */
const follow = (name: string) => {
    const scope = effectScope();
    const heard: unknown[] = [];
    scope.run(() => {
        const {messages} = useChannel(realtime, name);
        watch(messages, (now) => heard.push(now.length));
    });
    Object.assign(globalThis, {heard, stop: () => scope.stop()});
};
Object.assign(globalThis, {show, follow});
