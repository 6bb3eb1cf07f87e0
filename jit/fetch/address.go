package fetch

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"
)

// refusePrivate is called with the address that is about to be connected to, after every name has been resolved.
func refusePrivate(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if ip := target.Addr().Unmap(); !isPublic(ip) {
		return fmt.Errorf("%s is no public address; --allow-private-fetch permits it", ip)
	}
	return nil
}

// isPublic says whether an address is one of the open Internet's, as far as the registries of special addresses tell
// (RFC 6890). Addresses that carry another one inside (NAT64, 6to4, Teredo, IPv4-mapped) are not: they lead where
// the inner one does.
func isPublic(ip netip.Addr) bool {
	if ip.Is4() {
		return ip.IsGlobalUnicast() && !ip.IsPrivate() && !within(ip, special4)
	}
	return netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20}), 3).Contains(ip.WithZone("")) && !within(ip.WithZone(""), special6)
}

func within(ip netip.Addr, blocks string) bool {
	for block := range strings.FieldsSeq(blocks) {
		if netip.MustParsePrefix(block).Contains(ip) {
			return true
		}
	}
	return false
}

// special4 and special6 are address blocks that are not for hosts of the Internet, beyond what net/netip knows. Of the
// sixth version only 2000::/3 is given out at all.
const (
	special4 = "0.0.0.0/8 100.64.0.0/10 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4"
	special6 = "2001::/23 2001:db8::/32 2002::/16 3fff::/20"
)
