// Owns the check digits of national numbers: what makes ten digits a person's number and not a laboratory value.

const digitsOf = (text: string): number[] => Array.from(text.replace(/\D/g, ''), Number)
const weighted = (digits: readonly number[], weights: readonly number[]): number => weights.reduce((sum, weight, at) => sum + weight * digits[at]!, 0)

/** Ten digits, modulus 11 (NHS Data Model: weights 10 to 2). The Scottish CHI number has the same check and begins with a date. */
export function isNhs(text: string): boolean {
  const digits = digitsOf(text)
  if (digits.length !== 10 || new Set(digits).size === 1) return false
  const check = 11 - (weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)
  return check !== 10 && digits[9] === check % 11
}

/** Luhn, modulus 10. */
export function isLuhn(text: string): boolean {
  const digits = digitsOf(text).reverse()
  const sum = digits.reduce((total, digit, at) => total + (at % 2 === 0 ? digit : digit < 5 ? digit * 2 : digit * 2 - 9), 0)
  return digits.length > 1 && sum % 10 === 0
}

/** Area 000, 666 and 900 on, group 00 and serial 0000 are never issued (US Social Security Administration). */
export function isSsn(text: string): boolean {
  const [, area, group, serial] = /^(\d{3})-?(\d{2})-?(\d{4})$/.exec(text.replace(/ /g, '-')) ?? []
  return area !== undefined && area !== '000' && area !== '666' && area < '900' && group !== '00' && serial !== '0000'
}

/** Spain: 8 digits and a letter, or X, Y, Z and 7 digits and a letter. */
export function isDni(text: string): boolean {
  const plain = text.toUpperCase().replace(/[ -]/g, '')
  const number = Number(plain.slice(0, -1).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter))))
  return 'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23] === plain.at(-1)
}

/** Poland, 11 digits that begin with a date. */
export function isPesel(text: string): boolean {
  const digits = digitsOf(text)
  const [month, day] = [(digits[2]! * 10 + digits[3]!) % 20, digits[4]! * 10 + digits[5]!]
  return (
    digits.length === 11 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= 31 &&
    (10 - (weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === digits[10]
  )
}

/** Brazil, 11 digits with two check digits. */
export function isCpf(text: string): boolean {
  const digits = digitsOf(text)
  if (digits.length !== 11 || new Set(digits).size === 1) return false
  const check = (length: number) =>
    ((weighted(
      digits,
      Array.from({ length }, (_, at) => length + 1 - at),
    ) *
      10) %
      11) %
    10
  return check(9) === digits[9] && check(10) === digits[10]
}

/** The Netherlands, 9 digits, the test of eleven. */
export function isBsn(text: string): boolean {
  const digits = digitsOf(text)
  return digits.length === 9 && weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0
}

/** China, 17 digits and a digit or X (GB 11643, ISO 7064 MOD 11-2). */
export function isChineseId(text: string): boolean {
  const plain = text.toUpperCase()
  const sum = weighted(digitsOf(plain.slice(0, 17)), [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
  return '10X98765432'[sum % 11] === plain[17]
}

/** France, 13 digits and a key of two: 97 less the remainder by 97. */
export function isNir(text: string): boolean {
  const plain = text.replace(/\D/g, '')
  return plain.length === 15 && 97 - Number(BigInt(plain.slice(0, 13)) % 97n) === Number(plain.slice(13))
}

/** Australian Medicare: 8 digits, a check digit by weights 1, 3, 7, 9, an issue digit. */
export function isMedicare(text: string): boolean {
  const digits = digitsOf(text)
  return digits.length >= 10 && digits[0]! >= 2 && digits[0]! <= 6 && weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === digits[8]
}

// Verhoeff 1969: the dihedral group of order 10, and the powers of one permutation
const TIMES = (a: number, b: number): number => (a < 5 ? (b < 5 ? (a + b) % 5 : 5 + ((a + b) % 5)) : b < 5 ? 5 + ((a - b) % 5) : (5 + a - b) % 5)
const PERMUTE = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
/** India's Aadhaar, 12 digits, Verhoeff. */
export function isAadhaar(text: string): boolean {
  const digits = digitsOf(text).reverse()
  if (digits.length !== 12 || digits[11]! < 2) return false
  const check = digits.reduce((sum, digit, at) => {
    let moved = digit
    for (let times = 0; times < at % 8; times++) moved = PERMUTE[moved]!
    return TIMES(sum, moved)
  }, 0)
  return check === 0
}
