// tronweb builds, signs, broadcasts and reads back everything that an energy supplier does. It never talks to anything
// but the devnet whose URLs are in DEVNET_NODE_URL and DEVNET_ADMIN_URL (instant blocks, solidified at once).
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { TronWeb } from 'tronweb';

const nodeUrl = process.env.DEVNET_NODE_URL;
const adminUrl = process.env.DEVNET_ADMIN_URL;
assert.ok(nodeUrl && adminUrl, 'set DEVNET_NODE_URL and DEVNET_ADMIN_URL');

const USDT = 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t';
const TRX = 1_000_000;
const owner = await TronWeb.createAccount();
const customer = await TronWeb.createAccount();
const client = (account) => new TronWeb({ fullHost: nodeUrl, privateKey: account.privateKey });
const tw = client(owner);
const me = owner.address.base58;
const other = customer.address.base58;
const hex = (address) => TronWeb.address.toHex(address).toLowerCase();

async function admin(path, body) {
  const answer = await fetch(adminUrl + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, text);
  return JSON.parse(text);
}

// Asks until the answer holds, at most five seconds; the transaction is in a block by then or the test is right to fail.
async function until(ask) {
  const end = Date.now() + 5_000;
  for (;;) {
    const found = await ask();
    if (found) return found;
    assert.ok(Date.now() < end, 'did not happen within five seconds');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const info = (txid) =>
  until(async () => {
    const found = await tw.trx.getTransactionInfo(txid);
    return Object.keys(found).length > 0 && found;
  });

async function submit(unsigned, as = tw) {
  const signed = await as.trx.sign(unsigned);
  const answer = await as.trx.sendRawTransaction(signed);
  assert.equal(answer.result, true, `${answer.code} ${answer.message && tw.toUtf8(answer.message)}`);
  assert.equal(answer.txid, signed.txID);
  return info(signed.txID);
}

async function refusal(unsigned, as = tw) {
  const answer = await as.trx.sendRawTransaction(await as.trx.sign(unsigned));
  assert.notEqual(answer.result, true);
  return { code: answer.code, message: tw.toUtf8(answer.message) };
}

before(async () => {
  await admin('/faucet', { address: me, trx_sun: 1_000_000 * TRX });
  await admin('/faucet', { address: other, trx_sun: 1_000 * TRX });
  await admin('/faucet', { address: me, usdt: 500 * TRX });
  await until(async () => (await tw.trx.getBalance(other)) > 0);
});

test('a TRX transfer arrives and its block can be read', async () => {
  const start = await tw.trx.getBalance(other);
  const sent = await tw.trx.sendTransaction(other, 5 * TRX);
  assert.equal(sent.result, true);
  const receipt = await info(sent.txid);
  assert.equal(receipt.result, undefined);
  assert.ok(receipt.receipt.net_usage >= 265 && receipt.receipt.net_usage <= 270);
  assert.equal((await tw.trx.getBalance(other)) - start, 5 * TRX);
  const block = await tw.trx.getBlockByNumber(receipt.blockNumber);
  const found = block.transactions.find((tx) => tx.txID === sent.txid);
  assert.equal(found.ret[0].contractRet, 'SUCCESS');
  const read = await tw.trx.getTransaction(sent.txid);
  assert.equal(read.raw_data.contract[0].parameter.value.amount, 5 * TRX);
  assert.equal((await tw.trx.getBlockByHash(block.blockID)).blockID, block.blockID);
});

test('activating an account costs 1.1 TRX', async () => {
  const fresh = (await TronWeb.createAccount()).address.base58;
  const receipt = await submit(await tw.transactionBuilder.sendTrx(fresh, 1, me));
  assert.equal(receipt.fee, 1_100_000);
  assert.equal(await tw.trx.getBalance(fresh), 1);
});

test('hex broadcast', async () => {
  const signed = await tw.trx.sign(await tw.transactionBuilder.sendTrx(other, 7, me));
  const bytes = tw.utils.transaction.txJsonToPb(signed);
  signed.signature.forEach((one) => bytes.addSignature(Uint8Array.from(Buffer.from(one, 'hex'))));
  const answer = await tw.trx.sendHexTransaction(Buffer.from(bytes.serializeBinary()).toString('hex'));
  assert.equal(answer.code, 'SUCCESS');
  assert.equal(answer.txid, signed.txID);
  assert.equal(answer.transaction.txID, signed.txID);
  await info(signed.txID);
});

test('stake, lend, take back, unstake', async () => {
  await submit(await tw.transactionBuilder.freezeBalanceV2(200_000 * TRX, 'ENERGY', me));
  await submit(await tw.transactionBuilder.freezeBalanceV2(10_000 * TRX, 'BANDWIDTH', me));
  const staked = await tw.trx.getAccount(me);
  assert.deepEqual(staked.frozenV2.slice(0, 2), [
    { amount: 10_000 * TRX },
    { type: 'ENERGY', amount: 200_000 * TRX },
  ]);
  const most = await tw.trx.getCanDelegatedMaxSize(me, 'ENERGY');
  assert.equal(most.max_size, 200_000 * TRX);

  const stake = 7_000 * TRX;
  const receipt = await submit(await tw.transactionBuilder.delegateResource(stake, other, 'ENERGY', me));
  assert.ok(receipt.receipt.net_usage >= 277 && receipt.receipt.net_usage <= 285);
  const resources = await tw.trx.getAccountResources(other);
  assert.ok(resources.EnergyLimit > 65_000 && resources.EnergyLimit < 67_000, resources.EnergyLimit);
  const { delegatedResource } = await tw.trx.getDelegatedResourceV2(me, other);
  assert.deepEqual(delegatedResource, [{ from: hex(me), to: hex(other), frozen_balance_for_energy: stake }]);
  assert.deepEqual((await tw.trx.getDelegatedResourceAccountIndexV2(me)).toAccounts, [hex(other)]);
  assert.deepEqual((await tw.trx.getDelegatedResourceAccountIndexV2(other)).fromAccounts, [hex(me)]);

  await submit(await tw.transactionBuilder.delegateResource(5 * TRX, other, 'BANDWIDTH', me, true, 100));
  const rows = (await tw.trx.getDelegatedResourceV2(me, other)).delegatedResource;
  assert.equal(rows.length, 2);
  assert.ok(rows[1].expire_time_for_bandwidth > Date.now());
  assert.deepEqual(await refusal(await tw.transactionBuilder.undelegateResource(5 * TRX, other, 'BANDWIDTH', me)), {
    code: 'CONTRACT_VALIDATE_ERROR',
    message:
      'Contract validate error : insufficient delegatedFrozenBalance(BANDWIDTH), request=5000000, unlock_balance=0',
  });

  await submit(await tw.transactionBuilder.undelegateResource(stake, other, 'ENERGY', me));
  assert.equal((await tw.trx.getCanDelegatedMaxSize(me, 'ENERGY')).max_size, 200_000 * TRX);

  const unfrozen = await submit(await tw.transactionBuilder.unfreezeBalanceV2(1_000 * TRX, 'ENERGY', me));
  assert.equal(unfrozen.withdraw_expire_amount, undefined);
  assert.equal((await tw.trx.getAvailableUnfreezeCount(me)).count, 31);
  const soon = await tw.trx.getCanWithdrawUnfreezeAmount(me, Date.now() + 15 * 86_400_000);
  assert.equal(soon.amount, 1_000 * TRX);
  const cancelled = await submit(await tw.transactionBuilder.cancelUnfreezeBalanceV2(me));
  assert.deepEqual(cancelled.cancel_unfreezeV2_amount.find((row) => row.key === 'ENERGY'), {
    key: 'ENERGY',
    value: 1_000 * TRX,
  });
});

test('USDT: read the token, pay with rented energy, see the event', async () => {
  const token = await tw.contract().at(USDT);
  assert.equal(await token.symbol().call(), 'USDT');
  assert.equal(Number(await token.decimals().call()), 6);
  await submit(await tw.transactionBuilder.delegateResource(20_000 * TRX, other, 'ENERGY', me));
  const txid = await token.transfer(other, 3 * TRX).send({ feeLimit: 100 * TRX });
  const receipt = await info(txid);
  assert.equal(receipt.receipt.result, 'SUCCESS');
  assert.equal(receipt.receipt.energy_usage_total, 130_285);
  assert.equal(receipt.contractResult[0], '0'.repeat(64));
  assert.equal(receipt.log[0].address, 'a614f803b6fd780986a42c78ec9c7f77e6ded13c');
  assert.equal(receipt.log[0].topics[2].slice(24), hex(other).slice(2));
  assert.equal(Number(await token.balanceOf(other).call()), 3 * TRX);

  const theirs = client(customer);
  const before = await theirs.trx.getBalance(other);
  const back = await (await theirs.contract().at(USDT)).transfer(me, TRX).send({ feeLimit: 100 * TRX });
  const rented = await info(back);
  assert.equal(rented.receipt.energy_usage, 64_285, 'the rented energy pays');
  assert.equal(rented.receipt.energy_fee, undefined);
  assert.equal(before - (await theirs.trx.getBalance(other)), rented.fee ?? 0);

  await submit(await tw.transactionBuilder.undelegateResource(20_000 * TRX, other, 'ENERGY', me));
  const left = (await tw.trx.getCanDelegatedMaxSize(me, 'ENERGY')).max_size;
  assert.ok(left < 200_000 * TRX - 6_000 * TRX, 'what the customer used came back as used');
});

test('locally built calls have the same effect, and failures are in blocks', async () => {
  const parameters = [
    { type: 'address', value: other },
    { type: 'uint256', value: 10 ** 12 },
  ];
  const options = { feeLimit: 50 * TRX, txLocal: true };
  const { transaction } = await tw.transactionBuilder.triggerSmartContract(
    USDT, 'transfer(address,uint256)', options, parameters, me);
  const receipt = await submit(transaction);
  assert.equal(receipt.result, 'FAILED');
  assert.equal(receipt.receipt.result, 'REVERT');
  assert.equal(tw.toUtf8(receipt.resMessage), 'REVERT opcode executed');
});

test('a simulation costs nothing and says how much energy', async () => {
  const parameters = [
    { type: 'address', value: other },
    { type: 'uint256', value: 1 },
  ];
  const answer = await tw.transactionBuilder.triggerConstantContract(
    USDT, 'transfer(address,uint256)', {}, parameters, me);
  assert.equal(answer.result.result, true);
  assert.equal(answer.energy_used, 64_285);
});

test('refusals carry the texts of the node', async () => {
  const stranger = await TronWeb.createAccount();
  assert.deepEqual(
    await refusal(await tw.transactionBuilder.delegateResource(TRX, stranger.address.base58, 'ENERGY', me)),
    {
      code: 'CONTRACT_VALIDATE_ERROR',
      message: `Contract validate error : Account[${hex(stranger.address.base58)}] not exists`,
    },
  );
  const unsigned = await tw.transactionBuilder.sendTrx(other, 1, me);
  const forger = client(stranger);
  await assert.rejects(() => forger.trx.multiSign(unsigned, stranger.privateKey, 2), /no permission to sign/);
  const forged = await forger.trx.sendRawTransaction(await forger.trx.multiSign(unsigned, stranger.privateKey));
  assert.equal(forged.code, 'SIGERROR');
  assert.match(tw.toUtf8(forged.message), /^Validate signature error: .* is signed by T\w+ but it is not contained of permission\.$/);
  const twice = await tw.trx.sign(await tw.transactionBuilder.sendTrx(other, 9, me));
  assert.equal((await tw.trx.sendRawTransaction(twice)).result, true);
  assert.equal((await tw.trx.sendRawTransaction(twice)).code, 'DUP_TRANSACTION_ERROR');
});

test('a delegation key signs delegations only', async () => {
  const hot = await TronWeb.createAccount();
  await admin(`/accounts/${me}/permissions`, {
    active: [{ id: 2, operations: `0000000000000006${'0'.repeat(48)}`, keys: [hot.address.base58], threshold: 1 }],
  });
  const signHot = (unsigned) => tw.trx.multiSign(unsigned, hot.privateKey, 2);
  const lend = await signHot(await tw.transactionBuilder.delegateResource(TRX, other, 'ENERGY', me));
  const answer = await tw.trx.sendRawTransaction(lend);
  assert.equal(answer.result, true, answer.message && tw.toUtf8(answer.message));
  await info(lend.txID);
  const steal = await tw.transactionBuilder.sendTrx(other, TRX, me);
  await assert.rejects(() => signHot(steal), /denied/i);
});

test('chain parameters and prices', async () => {
  const parameters = Object.fromEntries((await tw.trx.getChainParameters()).map(({ key, value }) => [key, value]));
  assert.equal(parameters.getEnergyFee, 100);
  assert.equal(parameters.getTransactionFee, 1_000);
  assert.equal(parameters.getUnfreezeDelayDays, 14);
  assert.equal(await tw.trx.getBandwidth(other) <= 700, true);
  assert.equal((await tw.trx.getNodeInfo()).configNodeInfo.codeVersion, '4.8.1');
});

// Last: it moves the chain's clock two weeks ahead of the machine's.
test('unstaked TRX comes back after fourteen days of block time', async () => {
  await submit(await tw.transactionBuilder.unfreezeBalanceV2(500 * TRX, 'ENERGY', me));
  await admin('/time/advance', { seconds: 14 * 86_400 });
  await admin('/blocks', { count: 1 });
  const start = await tw.trx.getBalance(me);
  const receipt = await submit(await tw.transactionBuilder.withdrawExpireUnfreeze(me));
  assert.equal(receipt.withdraw_expire_amount, 500 * TRX);
  assert.equal((await tw.trx.getBalance(me)) - start, 500 * TRX - (receipt.fee ?? 0));
});
