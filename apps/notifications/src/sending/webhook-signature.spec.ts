import { signWebhook } from './webhook-signature.js';

describe('signWebhook', () => {
  it('signs as the example of the Standard Webhooks specification', () => {
    const body = Buffer.from('{"test": 2432232314}');
    expect(signWebhook('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'msg_p5jXN8AQM9LWM0D4loKWxJek', '1614265330', body)).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
  });
});
