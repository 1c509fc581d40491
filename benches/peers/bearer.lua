-- For wrk: each request with a random key of the file named by KEYS; what was not 2xx is counted and told.
local keys = {}
for key in io.lines(os.getenv("KEYS")) do keys[#keys + 1] = key end
local path = os.getenv("PATH_OF_REQUESTS") or "/"
function init() math.randomseed(os.time()) end
function request()
  return wrk.format("GET", path, {
    ["Authorization"] = "Bearer " .. keys[math.random(#keys)],
    -- What a proxy tells a gate.
    ["X-Forwarded-Method"] = "GET",
    ["X-Forwarded-Uri"] = "/api/v1/calls",
  })
end
function done(summary, latency)
  io.write(string.format("%.0f %.2f %.2f %d\n", summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout))
end
