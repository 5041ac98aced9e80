import { BODY, type Header, type Json, type JwsChange, type RequestChange } from './draft.js';
import { withS } from './p256.js';

const reversed = (json: Json): Json => Object.fromEntries(Object.entries(json).reverse());
const spaced = (text: string): string => `\r\n${JSON.stringify(JSON.parse(text), undefined, '\t')} `;
const inProof = (proof: JwsChange): RequestChange => ({ proof });
const inToken = (token: JwsChange): RequestChange => ({ token });
const fillers = Array.from({ length: 500 }, (): Header => ['x', '']);
const withHeaders = (...more: readonly Header[]): RequestChange => ({ headers: (headers) => [...more, ...headers] });

/** What looks hostile and is right: to refuse these would shut out honest players. */
export const oddButRight: Readonly<Record<string, RequestChange>> = {
  'a proof with a high s, as browsers make them': inProof({ signature: (signature) => withS(signature, 'high') }),
  'a proof with a low s': inProof({ signature: (signature) => withS(signature, 'low') }),
  'a token with a high s': inToken({ signature: (signature) => withS(signature, 'high') }),
  'the header of a proof in another order': inProof({ header: reversed }),
  'the jwk of a proof in another order': inProof({ header: (header) => ({ ...header, jwk: reversed(header['jwk'] as Json) }) }),
  'the claims of a proof in another order': inProof({ claims: reversed }),
  'the claims of a token in another order': inToken({ claims: reversed }),
  'white space in the header of a proof': inProof({ headerText: spaced }),
  'names in a proof that are escaped': inProof({ headerText: (text) => text.replace('jwk', '\\u006awk'), claimsText: (text) => text.replace('htm', '\\u0068tm') }),
  'a solidus in htu that is escaped': inProof({ claimsText: (text) => text.replaceAll('/', '\\/') }),
  'claims of a proof that nobody knows': inProof({ claims: (claims) => ({ ...claims, aud: 'x', sub: null, x: [{}] }) }),
  'a jti of one character': inProof({ claims: (claims) => ({ ...claims, jti: '\u00e9' }) }),
  'a jti that is SQL': inProof({ claims: (claims) => ({ ...claims, jti: `'); drop table replay_marks; --${claims['jti'] as string}` }) }),
  'a scheme in small letters': { headers: ([authorization, proof]) => [['authorization', authorization![1].replace('DPoP', 'dpop')], ['dpop', proof![1]]] },
  'white space around credentials': { headers: (headers) => headers.map(([name, value]): Header => [name, ` \t${value} \t`]) },
  'hundreds of other headers': withHeaders(...fillers),
  'two Content-Types that are none': withHeaders(['Content-Type', ';;;'], ['Content-Type', 'x']),
  'a cookie header': withHeaders(['Cookie', 'access_token=x; dpop=x']),
  'white space around the body': { body: `\r\n\t ${BODY} \n` },
  'names in a body that are escaped': { body: BODY.replace('kids', '\\u006b\\u0069ds') },
  'a query': { target: (path) => `${path}?device=x&dpop=x` },
  'a percent-encoded letter in the target': { target: (path) => path.replace('v1', '%761') },
  'a target in absolute form': { target: (path) => `http://play.example${path}` },
  'a target with a fragment': { target: (path) => `${path}#x` },
};
