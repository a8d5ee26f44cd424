-- DNS questions to ports other than 53, 5353 and 5355: a resolver in an odd place, a tunnel,
-- malware.
local asked = count { "questions", key = { "server:address", "port" }, unit = "packets" }
return {
  about = "DNS questions to unusual ports",
  filter = "udp and not udp.port in {53, 137, 5353, 5355}",
  packet = function(p)
    -- One question, no answer, and nothing but flags that a question may have.
    local v = p.payload
    if v:u16(4) == 1 and v:u32(6) == 0 and bit.band(v:u16(2), 0xfecf) == 0 then
      asked:add(p.dst, p.dport)
    end
  end,
  finish = function(out) out:table { title = "DNS on odd ports", rows = asked:top(20) } end,
}
