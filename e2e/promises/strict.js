// A page that forbids WebAssembly tells the page around it why there is no connection.

import {connect} from '/sdk/index.js';

const client = connect('/');
const tell = ({name, reason}) => { if (name === 'closed') parent.postMessage({policy: reason}); };
client.on('state', tell);
tell(client.state);
