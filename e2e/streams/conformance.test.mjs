// The conformance tests of Durable Streams against a server that script/check_streams.mjs has started.

import {runConformanceTests} from '@durable-streams/server-conformance-tests';

runConformanceTests({baseUrl: process.env.STREAMS_URL});
