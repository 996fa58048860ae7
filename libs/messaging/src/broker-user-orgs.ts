/** Which organisation a broker user may speak for; `*` = any, for our own services. `null` = anybody for any: development. */
export type BrokerUserOrgs = Readonly<Record<string, string>> | null;

/** Whether a user of the broker is one of our services. In development nobody is told apart. */
export function isOurService(orgs: BrokerUserOrgs, brokerUser: string | undefined): boolean {
  return orgs === null || (brokerUser !== undefined && orgs[brokerUser] === '*');
}
