import {renderToString} from 'react-dom/server';
import {tree} from './tree';

export const html = () => renderToString(tree({room: 'hydrated', user: 'Ada'}));
