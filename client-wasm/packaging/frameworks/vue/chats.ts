import {h, type ShallowRef} from 'vue';
import Chat from './chat.vue';

export interface ChatProps {
    room: string;
    user: string;
}

export const chatsOf = (chats: ShallowRef<ChatProps[]>) => ({
    render: () => chats.value.map((chat, i) => h(Chat, {key: i, ...chat})),
});
