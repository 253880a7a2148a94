// Owns the group policy templates for Windows, written from the one list of settings: rushlight.admx and its English words.
import { policyEntries, policyKeys, type PolicyEntry, type PolicyKey } from '../../contract/policy.ts'

const SCHEMA = 'xmlns="http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions" revision="1.0" schemaVersion="1.0"'
const HIVE = 'Software\\Policies\\Rushlight'
/** The folders in the editor, and the registry key of each: what binds, and what only suggests. */
const kinds = [
  { folder: 'Rushlight', suffix: '', hive: HIVE, words: 'Rushlight' },
  { folder: 'Recommended', suffix: 'Recommended', hive: `${HIVE}\\Recommended`, words: 'Recommended (users can change these)' },
] as const

/** `RetentionDays` for `retentionDays`: names in a registry are written so. */
export const registryName = (key: PolicyKey): string => key[0]!.toUpperCase() + key.slice(1)

/** The policies of rushlight.admx. Windows finds it in %SystemRoot%\PolicyDefinitions or in the domain's central store. */
export function admx(): string {
  const policies = kinds.flatMap((kind) =>
    policyKeys.filter((key) => kind.suffix === '' || policyEntries[key].user).map((key) => policyXml(key, kind)),
  )
  return `<?xml version="1.0" encoding="utf-8"?>
<policyDefinitions ${SCHEMA}>
  <policyNamespaces>
    <target prefix="rushlight" namespace="Rushlight.Policies"/>
    <using prefix="windows" namespace="Microsoft.Policies.Windows"/>
  </policyNamespaces>
  <resources minRequiredRevision="1.0"/>
  <supportedOn>
    <definitions>
      <definition name="SupportedOnAll" displayName="$(string.SupportedOnAll)"/>
    </definitions>
  </supportedOn>
  <categories>
    <category name="Rushlight" displayName="$(string.CategoryRushlight)"/>
    <category name="Recommended" displayName="$(string.CategoryRecommended)">
      <parentCategory ref="Rushlight"/>
    </category>
  </categories>
  <policies>
${policies.join('\n')}
  </policies>
</policyDefinitions>
`
}

/** The words for en-US, the language that every Windows falls back to. */
export function adml(): string {
  const strings: [string, string][] = [
    ['SupportedOnAll', 'Rushlight 0.1 or later'],
    ...kinds.map(({ folder, words }): [string, string] => [`Category${folder}`, words]),
    ...policyKeys.flatMap((key): [string, string][] => {
      const { title, help, form } = policyEntries[key] as PolicyEntry
      const options =
        form.kind === 'choice' ? Object.entries(form.options).map(([value, words]): [string, string] => [optionId(key, value), words]) : []
      return [[registryName(key), title], [`${registryName(key)}Help`, help], ...options]
    }),
  ]
  return `<?xml version="1.0" encoding="utf-8"?>
<policyDefinitionResources ${SCHEMA}>
  <displayName>Rushlight</displayName>
  <description>Settings of Rushlight that an organisation may decide</description>
  <resources>
    <stringTable>
${strings.map(([id, words]) => `      <string id="${id}">${escaped(words)}</string>`).join('\n')}
    </stringTable>
    <presentationTable>
${policyKeys.flatMap(presentationXml).join('\n')}
    </presentationTable>
  </resources>
</policyDefinitionResources>
`
}

/** A policy.json with every setting at its default, to be shortened to what an organisation wants to decide. */
export function samplePolicy(): string {
  return JSON.stringify(Object.fromEntries(policyKeys.map((key) => [key, policyEntries[key].default])), null, 2) + '\n'
}

function policyXml(key: PolicyKey, { folder, suffix, hive }: (typeof kinds)[number]): string {
  const name = registryName(key)
  const { form } = policyEntries[key] as PolicyEntry
  const head = `name="${name}${suffix}" class="Machine" displayName="$(string.${name})" explainText="$(string.${name}Help)" key="${hive}"`
  const parent = `      <parentCategory ref="${folder}"/>\n      <supportedOn ref="SupportedOnAll"/>`
  if (form.kind === 'switch')
    return `    <policy ${head} valueName="${name}">
${parent}
      <enabledValue><decimal value="1"/></enabledValue>
      <disabledValue><decimal value="0"/></disabledValue>
    </policy>`
  return `    <policy ${head} presentation="$(presentation.${name})">
${parent}
      <elements>
${elementXml(key, name)}
      </elements>
    </policy>`
}

function elementXml(key: PolicyKey, name: string): string {
  const { form } = policyEntries[key] as PolicyEntry
  switch (form.kind) {
    case 'number':
      return `        <decimal id="${name}" valueName="${name}" required="true" minValue="${form.least}" maxValue="${form.most}"/>`
    case 'choice':
      return `        <enum id="${name}" valueName="${name}" required="true">
${Object.keys(form.options)
  .map((value) => `          <item displayName="$(string.${optionId(key, value)})"><value><string>${escaped(value)}</string></value></item>`)
  .join('\n')}
        </enum>`
    case 'list':
      return `        <multiText id="${name}" valueName="${name}" maxStrings="${form.most}"/>`
    case 'text':
      return `        <text id="${name}" valueName="${name}" maxLength="${form.most}"/>`
    case 'switch':
      throw new Error('a switch has no elements')
  }
}

function presentationXml(key: PolicyKey): string[] {
  const name = registryName(key)
  const { form, title, default: value } = policyEntries[key] as PolicyEntry
  const inside = {
    switch: '',
    number:
      form.kind === 'number'
        ? `<decimalTextBox refId="${name}" defaultValue="${String(value)}">${escaped(`${title} (${form.unit})`)}</decimalTextBox>`
        : '',
    choice: `<dropdownList refId="${name}" defaultItem="0">${escaped(title)}</dropdownList>`,
    list: `<multiTextBox refId="${name}">${escaped(title)}</multiTextBox>`,
    text: `<textBox refId="${name}"><label>${escaped(title)}</label></textBox>`,
  }[form.kind]
  return inside === '' ? [] : [`      <presentation id="${name}">${inside}</presentation>`]
}

const optionId = (key: PolicyKey, value: string) => `${registryName(key)}_${value.replace(/[^A-Za-z0-9]/g, '_')}`
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
