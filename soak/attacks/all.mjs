// Every attack by its name: {what, run(attacker)}. `what` is one line for people; run() goes on until its process ends.

import {channels} from './channels.mjs';
import {connections} from './connections.mjs';
import {floods} from './floods.mjs';
import {histories} from './histories.mjs';
import {keys} from './keys.mjs';
import {malformed} from './malformed.mjs';
import {presence} from './presence.mjs';
import {questions} from './questions.mjs';
import {replays} from './replays.mjs';
import {requests} from './requests.mjs';
import {slowReaders} from './slow_readers.mjs';

export const attacks = {
    ...histories, ...channels, ...presence, ...replays, ...floods, ...keys, ...questions, ...slowReaders, ...connections,
    ...requests, ...malformed,
};
