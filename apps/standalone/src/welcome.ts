import { ROLES } from '#libs/auth';
import type { Config } from '#libs/service';

/** The organisation of the ready-made tokens. */
const ORGANISATION = 'demo';

/** What a person wants to know once Holdfast runs. */
export interface Welcome {
  readonly url: string;
  readonly config: Config;
  /** Where the data is: `/home/me/holdfast/.data (PostgreSQL 18 of its own on 127.0.0.1:40123)`. */
  readonly data: string;
  readonly seconds: number;
}

/** Prints where everything is and, in development, a token per role. */
export async function printWelcome({ url, config, data, seconds }: Welcome): Promise<void> {
  const lines = [
    '',
    `Holdfast is ready (${seconds.toFixed(1)} s).`,
    '',
    `  API        ${url}/api/v1`,
    `  API docs   ${url}/api/docs`,
    `  Health     ${url}/health/ready    Metrics  ${url}/metrics`,
    `  Data       ${data}`,
    '',
  ];
  if (config.auth.mode === 'dev') {
    lines.push(`Development tokens, organisation "${ORGANISATION}", to be sent as "Authorization: Bearer <token>":`, '');
    for (const role of ROLES) lines.push(`  ${role.padEnd(18)} ${await tokenFor(url, role)}`);
    lines.push(
      '',
      `Others:  curl -s ${url}/api/v1/auth/token -H 'content-type: application/json' -d '{"orgId":"${ORGANISATION}","userId":"me","roles":["admin"]}'`,
    );
  }
  lines.push('', 'Try:     npm run demo (in another terminal)', 'Stop:    Ctrl-C', '');
  console.log(lines.join('\n'));
}

async function tokenFor(url: string, role: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/auth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ orgId: ORGANISATION, userId: role, roles: [role] }),
  });
  if (!response.ok) throw new Error(`POST /api/v1/auth/token answered ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { accessToken: string }).accessToken;
}
