// An OpenID provider (panva's oidc-provider, a certified one) for tests. It prints its issuer, and is told the rest:
//
//   POST /control/start   {"base": ...}   serve the client "muster" of a muster at that base URL, with new keys each time
//   PUT  /control/person  {"sub": ..., "email": ...}   who ada is from now on
//
// Anybody who says to be ada is. Everything is kept in memory.
import http from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

const connection = 'real-op';
const people = new Map();
let provider;
let generation = 0;

async function signingKey() {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  generation += 1;
  return { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: `key-${generation}` };
}

async function start(issuer, { base }) {
  const at = `${base}/c/${connection}`;
  provider = new Provider(issuer, {
    jwks: { keys: [await signingKey()] },
    cookies: { keys: ['a test has no secrets'] },
    clients: [{
      client_id: 'muster',
      client_secret: 'the-secret-of-the-test-client',
      redirect_uris: [`${at}/oidc/callback`],
      backchannel_logout_uri: `${at}/oidc/backchannel`,
      backchannel_logout_session_required: true,
    }],
    claims: {
      profile: ['name', 'given_name', 'family_name', 'preferred_username'],
      email: ['email', 'email_verified'],
      groups: ['groups'],
    },
    features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: true } },
    pkce: { required: () => true },
    findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ ...people.get(sub), sub }) }),
    // Consent has been given to the one client.
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope('openid profile email groups');
      await grant.save();
      return grant;
    },
  });
  provider.on('server_error', (ctx, error) => console.error(error));
  provider.on('backchannel.error', (ctx, error) => console.error(error));
}

async function body(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return JSON.parse(text);
}

const server = http.createServer(async (request, response) => {
  try {
    switch (request.url) {
      case '/control/start':
        await start(issuer(), await body(request));
        break;
      case '/control/person': {
        const { sub, ...claims } = await body(request);
        people.set(sub, claims);
        break;
      }
      default:
        return provider.callback()(request, response);
    }
    response.writeHead(204).end();
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});

const issuer = () => `http://127.0.0.1:${server.address().port}`;
server.listen(0, '127.0.0.1', () => console.log(`issuer ${issuer()}`));
