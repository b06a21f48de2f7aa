import {createSSRApp, shallowRef} from 'vue';
import {renderToString} from 'vue/server-renderer';
import {chatsOf} from './chats';

export const html = () => renderToString(createSSRApp(chatsOf(shallowRef([{room: 'hydrated', user: 'Ada'}]))));
