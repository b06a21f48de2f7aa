import {createRoot} from 'solid-js';
import {useChannel, useConnection, usePresence, usePublish} from 'pulsewire/solid';
import {realtime} from './realtime';

/** The values of the functions where a page is rendered. */
export const values = () => createRoot((dispose) => {
    const name = 'chat:server';
    const channel = useChannel(realtime, name);
    const values = [channel.messages(), channel.state(), useConnection(realtime)().name, usePresence(realtime, name, {name: 'Ada'})(), usePublish(realtime, name).pending()];
    dispose();
    return values;
});
