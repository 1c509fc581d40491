-- For HAProxy 2.6 and newer: asks the gate whether a request may pass.
local gate = 'http://127.0.0.1:8100/auth'

-- Headers that go to the API, and headers that go to the client with the API's answer.
local told = { 'x-keyrack-key', 'x-keyrack-account', 'x-keyrack-issuer', 'x-keyrack-scopes', 'x-keyrack-endpoint' }
local kept = {
  ['x-ratelimit-limit'] = 'txn.gate_limit',
  ['x-ratelimit-remaining'] = 'txn.gate_remaining',
  ['x-ratelimit-reset'] = 'txn.gate_reset',
  ['ratelimit-policy'] = 'txn.gate_budgets',
  ['ratelimit'] = 'txn.gate_left',
}

core.register_action('keyrack', { 'http-req' }, function(txn)
  local ask = {
    ['x-forwarded-method'] = { txn.f:method() },
    ['x-forwarded-uri'] = { txn.f:pathq() },
    ['x-forwarded-for'] = { txn.f:src() },
    ['x-forwarded-host'] = { txn.sf:req_hdr('host') },
  }
  for name, values in pairs(txn.http:req_get_headers()) do
    if name == 'authorization' or name == 'x-api-key' then
      local all = {}
      for i = 0, #values do all[#all + 1] = values[i] end
      ask[name] = all
    end
  end

  local answer = core.httpclient():get { url = gate, headers = ask, timeout = 5000 }
  local headers = answer and answer.headers or {}
  if not answer or answer.status ~= 200 then
    local reply = txn:reply { status = 503 }
    if headers['cache-control'] and headers['cache-control'][0] == 'no-store' then
      reply:set_status(answer.status)
      reply:set_body(answer.body)
      for name, values in pairs(headers) do
        if name ~= 'content-length' and name ~= 'connection' then
          for i = 0, #values do reply:add_header(name, values[i]) end
        end
      end
    else
      -- This answer is HAProxy's own, not the gate's: no gate answered.
      reply:add_header('retry-after', '1')
    end
    txn:done(reply)
  end
  for _, name in ipairs(told) do
    txn.http:req_set_header(name, headers[name] and headers[name][0] or '')
  end
  for name, variable in pairs(kept) do
    if headers[name] then txn:set_var(variable, headers[name][0]) end
  end
end)
