// Owns which number calls an ambulance in a country, for the banner of a clinic that has not set its own.

/** Region of a locale → number. Where a country has several, the one for an ambulance. Others have 112, which most mobile networks take. */
const NUMBERS: Readonly<Record<string, string>> = {
  ...{ GB: '999', IE: '112', US: '911', CA: '911', AU: '000', NZ: '111', ZA: '112', KE: '999', NG: '112', GH: '112', ZW: '999', ZM: '991' },
  ...{ UG: '999', TZ: '112', BW: '997', MW: '998', IN: '112', PK: '1122', BD: '999', LK: '1990', NP: '102', MY: '999', SG: '995', HK: '999' },
  ...{ PH: '911', JP: '119', KR: '119', CN: '120', TW: '119', VN: '115', TH: '1669', ID: '118', BR: '192', MX: '911', AR: '107', CL: '131' },
  ...{ CO: '123', PE: '106', EG: '123', MA: '15', SA: '997', AE: '998', IL: '101', JO: '911', TR: '112', CH: '144', NO: '113' },
}

/** For a BCP 47 tag such as "en-GB"; a tag without a region gives 112. */
export function emergencyNumberOf(locale: string): string {
  const region = /[-_]([A-Z]{2})\b/.exec(locale)?.[1]
  return (region === undefined ? undefined : NUMBERS[region]) ?? '112'
}
