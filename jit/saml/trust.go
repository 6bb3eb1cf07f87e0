package saml

import "github.com/beevik/etree"

// trusted is what may be read. assertion comes from verified bytes. response does too if it was signed; if not, it is
// as received, and nothing of it becomes a fact.
type trusted struct {
	response  *etree.Element
	assertion *etree.Element
	signed    bool // the response
}

// trust verifies what is signed, opens what is encrypted, and refuses what neither signature covers.
func (sp *ServiceProvider) trust(root *etree.Element, filter *prefilter) (trusted, error) {
	response, err := sp.verified(root)
	if err != nil {
		return trusted{}, err
	}
	if encrypted := only(root, nsAssertion, "EncryptedAssertion"); encrypted != nil {
		return sp.trustEncrypted(root, response, filter)
	}
	// Verified where it was received, not in the verified response: canonicalising that may have dropped declarations
	// that the assertion's signature counts in.
	assertion, err := sp.verified(only(root, nsAssertion, "Assertion"))
	switch {
	case err != nil:
		return trusted{}, err
	case assertion == nil && response == nil:
		return trusted{}, refuse(ReasonUnsigned, "neither the response nor the assertion is signed")
	case assertion == nil:
		return trusted{response, only(response, nsAssertion, "Assertion"), true}, nil
	case response == nil:
		return trusted{root, assertion, false}, nil
	}
	return trusted{response, assertion, true}, nil
}

// trustEncrypted opens the assertion. Without a signature over the ciphertext, whoever posts variations of it must not
// learn whether they decrypt, parse or fail to verify.
func (sp *ServiceProvider) trustEncrypted(root, response *etree.Element, filter *prefilter) (trusted, error) {
	signed := response != nil
	if !signed {
		response = root
	}
	encrypted := only(response, nsAssertion, "EncryptedAssertion")
	sealed, err := sp.sealed(encrypted)
	if err != nil {
		return trusted{}, err
	}
	assertion, err := sp.open(sealed, encrypted, filter)
	if err == nil {
		assertion, err = sp.trustOpened(assertion, signed)
	}
	if err != nil && !signed {
		err = refuse(ReasonEncrypted, "the encrypted assertion could not be opened and verified with the keys of this connection")
	}
	if err != nil {
		return trusted{}, err
	}
	return trusted{response, assertion, signed}, nil
}

func (sp *ServiceProvider) trustOpened(assertion *etree.Element, responseSigned bool) (*etree.Element, error) {
	verified, err := sp.verified(assertion)
	switch {
	case err != nil:
		return nil, err
	case verified != nil:
		return verified, nil
	case !responseSigned:
		return nil, refuse(ReasonUnsigned, "neither the response nor the encrypted assertion is signed")
	}
	return assertion, nil
}
