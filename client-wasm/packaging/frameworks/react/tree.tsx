import {StrictMode, Suspense, use, type ReactNode} from 'react';
import {Chat} from './chat';

export interface ChatProps {
    room: string;
    user: string;
}

export const tree = (...chats: ChatProps[]) => <StrictMode>{chats.map((chat, i) => <Chat key={i} {...chat} />)}</StrictMode>;

function Suspending({until, children}: {until: Promise<void>; children: ReactNode}) {
    use(until);
    return children;
}

export const suspendingTree = (room: string, until: Promise<void>) => (
    <StrictMode>
        <Suspense fallback={<i>waits</i>}>
            <Chat room={room} user="Ada" />
            <Suspending until={until}><b>goes on</b></Suspending>
        </Suspense>
    </StrictMode>
);
