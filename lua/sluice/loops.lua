-- The loops that carry the data path. LuaJIT compiles the innermost loop and inlines what it calls,
-- so every handler and filter gets a fresh loop of its own: loaded from text under its own name,
-- never shared (one loop over a list of functions is ten times slower, see src/README.md).
local ffi = require "ffi"
local late = require "sluice.late"
local gate = late "sluice.uses.gate"
local prelude = late "sluice.filter.prelude"
local stop = require "sluice.stop"

local loops = {}

-- name: "packet loop of talkers"; of a path its last part, since trace logs show 40 characters.
local function build(text, what, name, ...)
  return assert(loadstring(text, ("=%s %s"):format(what, name:match "[^/]*$")))(...)
end

-- What a loop does with a packet handler's answer; CALL is the call. The second is of a run that
-- writes packets: dropped[j] is set of those for which the handler returns false.
local LOOK = "if rawequal(CALL, stop) then return true end"
local CHOOSE = [==[local answer = CALL
        if answer == false then dropped[sel[i]] = 1 end
        if rawequal(answer, stop) then return true end]==]

-- more: what the text names behind them.
local function packet_loop(text, call, handler, name, dropped, more)
  local answer = (dropped and CHOOSE or LOOK):gsub("CALL", call)
  return build(text:gsub("ANSWER", answer), "packet loop of", name, handler, stop, dropped, more)
end

-- A handler that begins with a test (sluice.uses.gate): first the test for all packets, then the
-- handler for those that are left.
local function gated_packets(test, name, dropped)
  local text = ([==[
    PRELUDE
    local handler, stop, dropped, picked = ...
    local function pick(tap, packets)
      local sel, k = tap.sel, 0
      for i = 0, tap.n - 1 do
        local p = packets[sel[i]]
        STEPS
        picked[k] = i
        k = k + rshift(SIGN, 31)
      end
      return k
    end
    return function(tap, packets)
      local sel, picked, stop, rawequal = tap.sel, picked, stop, rawequal
      for k = 0, pick(tap, packets) - 1 do
        local i = picked[k]
        tap.at = i
        ANSWER
      end
    end]==]):gsub("PRELUDE", prelude.of(test.steps .. test.sign)):gsub("STEPS", test.steps)
    :gsub("SIGN", test.sign)
  return packet_loop(text, "handler(packets[sel[i]])", test.handler, name, dropped,
    ffi.new("uint32_t[?]", ffi.C.SL_BATCH))
end

--- packet(p) over a tap's selection. tap.at tells which packet an error was about. The loop
--- returns true when the handler has returned stop. dropped: see above, or nil.
function loops.packets(handler, name, dropped)
  local test = gate.of(handler, dropped ~= nil)
  if test then return gated_packets(test, name, dropped) end
  return packet_loop([==[
    local handler, stop, dropped = ...
    return function(tap, packets)
      local sel = tap.sel
      for i = 0, tap.n - 1 do
        tap.at = i
        ANSWER
      end
    end]==], "handler(packets[sel[i]])", handler, name, dropped)
end

--- packet(p, s), where s is the recipe's state of the packet's flow (sluice.state), or nil.
function loops.packets_with_state(handler, name, state, dropped)
  return packet_loop([==[
    local handler, stop, dropped, state = ...
    return function(tap, packets)
      local sel = tap.sel
      for i = 0, tap.n - 1 do
        tap.at = i
        local p = packets[sel[i]]
        local flow, s = p.flow, nil
        if flow ~= 0xffffffff then
          if flow >= state.size then state:grow(flow) end
          if p.flow_pkt64 == 1 then state:clear(flow) end
          s = state.array[flow]
        end
        ANSWER
      end
    end]==], "handler(p, s)", handler, name, dropped, state)
end

--- Counts in passed[j] the taps whose filter a packet passed.
function loops.mark(passed)
  return build([==[
    local passed = ...
    return function(tap)
      local sel = tap.sel
      for i = 0, tap.n - 1 do
        local j = sel[i]
        passed[j] = passed[j] + 1
      end
    end]==], "marks of", "-w", passed)
end

--- Narrows a tap to the packets that n filters passed and nobody dropped.
function loops.choose(passed, dropped)
  return build([==[
    local passed, dropped = ...
    return function(tap, n)
      local sel, k = tap.sel, 0
      for i = 0, tap.n - 1 do
        local j = sel[i]
        if passed[j] == n and dropped[j] == 0 then
          sel[k] = j
          k = k + 1
        end
      end
      tap.n = k
    end]==], "choice of", "-w", passed, dropped)
end

--- flow(f) over the tap's decided flows; flow(f, s) with state.
function loops.flows(handler, name)
  return build([==[
    local handler, stop = ...
    return function(tap)
      local flows = tap.flows
      for i = 0, tap.n_flows - 1 do
        tap.at = i
        if rawequal(handler(flows[i]), stop) then return true end
      end
    end]==], "flow loop of", name, handler, stop)
end

function loops.flows_with_state(handler, name, state)
  return build([==[
    local handler, stop, state = ...
    return function(tap)
      local flows = tap.flows
      for i = 0, tap.n_flows - 1 do
        tap.at = i
        local f = flows[i]
        if f.index >= state.size then state:grow(f.index) end
        if rawequal(handler(f, state.array[f.index]), stop) then return true end
      end
    end]==], "flow loop of", name, handler, stop, state)
end

-- condition: { prelude = Lua text before the loop, expr = an expression over p (or f), sign = the
-- same as an integer whose bit 31 tells, or nil, upvalues = what the prelude names as "..." }
local function filter(text, condition, what, name)
  text = text:gsub("PRELUDE", function() return condition.prelude end)
    :gsub("CONDITION", function() return condition.expr end)
    :gsub("SIGN", function() return condition.sign end)
  return build(text, what, name, unpack(condition.upvalues or {}))
end

local BRANCH = [==[
    PRELUDE
    return function(holder, packets)
      local sel, k = holder.sel, 0
      for i = 0, holder.n - 1 do
        local j = sel[i]
        local p = packets[j]
        if CONDITION then
          sel[k] = j
          k = k + 1
        end
      end
      holder.n = k
    end]==]

-- Every packet is written; the next one takes its place unless it passed (k <= i always). A branch
-- that varies would be a side trace, which joins the loop at its start and does all again that the
-- loop needs to do only once.
local NO_BRANCH = [==[
    PRELUDE
    return function(holder, packets)
      local sel, k = holder.sel, 0
      for i = 0, holder.n - 1 do
        local j = sel[i]
        local p = packets[j]
        sel[k] = j
        k = k + rshift(SIGN, 31)
      end
      holder.n = k
    end]==]

--- Narrows holder.sel and holder.n (a batch or a tap) to the packets p for which the condition
--- holds.
function loops.packet_filter(condition, name)
  return filter(condition.sign and NO_BRANCH or BRANCH, condition, "packet filter", name)
end

--- Narrows tap.flows and tap.n_flows to the flows f for which the condition holds.
function loops.flow_filter(condition, name)
  return filter([==[
    PRELUDE
    return function(tap)
      local flows, k = tap.flows, 0
      for i = 0, tap.n_flows - 1 do
        local f = flows[i]
        if CONDITION then
          flows[k] = f
          k = k + 1
        end
      end
      tap.n_flows = k
    end]==], condition, "flow filter", name)
end

return loops
