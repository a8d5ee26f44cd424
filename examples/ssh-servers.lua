-- Which programs SSH servers run: the line with which they begin (RFC 4253 section 4.2).
return {
  about = "SSH servers by the software they name", filter = "tcp", head = 64,
  start = function()
    local seen = count { "connections by software", key = { "server:address", "software:string" } }
    return {
      flow = function(f)
        local v = f.head_dst
        if v:starts "SSH-" then seen:add(f.dst, v:text(0, v:find "\r" or v:find "\n")) end
      end,
      finish = function(out) out:bars { title = "SSH servers", rows = seen:top(20) } end,
    }
  end,
}
