// Owns the minimal changes of prescriptions: medicine, amount, number, form, route, frequency, duration.
import type { Changes } from './build.ts'

const p = (text: string): string[] => text.trim().split(/\s*\n\s*/)

export const medicineChanges: readonly Changes[] = [
  {
    slot: 'drug',
    frames: p(`What is the maximum daily dose of {}?
      Is {} safe in breastfeeding?
      {} side effects
      How often should I check bloods for a patient on {}?
      Can {} cause hair thinning?
      Starting dose of {} for an elderly man
      Does {} interact with grapefruit juice?
      When should {} be stopped before surgery?`),
    changes: p(`prednisolone → prednisone
      carbamazepine → oxcarbazepine
      hydralazine → hydroxyzine
      amlodipine → amiloride
      azathioprine → azithromycin
      chlorpromazine → chlorpropamide
      clonidine → clonazepam
      OxyContin → OxyNorm
      Lantus → Toujeo
      penicillin → penicillamine
      levothyroxine → liothyronine
      co-amoxiclav → co-codamol
      citalopram → escitalopram
      cetirizine → levocetirizine
      adrenaline → noradrenaline
      Qvar → Clenil
      Priadel → Camcolit
      sumatriptan → zolmitriptan
      ropinirole → risperidone
      vitamin D → vitamin K
      vitamin A → vitamin E
      Ozempic → Rybelsus
      omeprazole → esomeprazole
      methotrexate → methotrimeprazine
      heparin → enoxaparin
      NovoRapid → NovoMix 30`),
  },
  {
    slot: 'amount',
    frames: p(`Is {} of this medicine too much at once?
      Child given {} of paracetamol by mistake
      Can I prescribe gentamicin {}?
      amoxicillin {} three times daily for sinusitis
      Is {} a safe dose of morphine?
      Increase ramipril to {}?
      Patient took {} of ibuprofen an hour ago
      Adrenaline {} IM for anaphylaxis?`),
    changes: p(`5 mg → 50 mg
      500 mg → 500 micrograms
      0.5 mg → 5 mg
      1.5 g → 15 g
      .5 mg → 5 mg
      1,5 mg → 15 mg
      10 mg/kg → 10 mg
      2.5 ml → 25 ml
      100 micrograms → 100 mg
      5-10 mg → 5-15 mg
      250 mg/5 ml → 125 mg/5 ml
      15 mg/kg/day → 15 mg/kg/dose
      75 mg → 7.5 mg
      1 mg → 1 g
      2 tablets → 3 tablets
      2 tablets → 2 capsules
      1,000 mg → 100 mg
      4 units → 40 units
      2 puffs → 10 puffs
      0.05 mg → 0.5 mg
      5 ml → 15 ml
      20 mmol → 40 mmol
      1 drop → 2 drops
      half a tablet → one tablet
      1.25 mg → 12.5 mg
      300 mg → 300 ng
      2 x 500 mg → 500 mg`),
  },
  {
    slot: 'number',
    frames: p(`Potassium is {}, what should I do?
      Blood pressure {} in clinic, does he need treatment?
      What does a score of {} mean?
      HbA1c {}: do we intensify?
      Temperature {} after surgery
      Ferritin {} with normal haemoglobin
      Is INR {} acceptable?
      NEWS {} in a care home resident`),
    changes: p(`5.5 → 6.5
      140/90 → 160/90
      3 → 4
      48 mmol/mol → 58 mmol/mol
      38.1 → 39.1
      15 → 150
      2.5 → 3.5
      <3 → >3
      below 7 → above 7
      6% → 7%
      2.0 → 20
      1.5 → 15
      10 → 100
      0.8 → 8
      7.5% → 75%
      120/80 → 180/80
      -2.5 → 2.5
      2/5 → 3/5
      50 → 15
      3,5 → 35
      9 to 12 → 9 to 21
      five → six
      37 → 38
      ≥5 → ≤5
      60 → 16
      1:1000 → 1:10000
      5+ → 5`),
  },
  {
    slot: 'form',
    frames: p(`metronidazole {} dose for rosacea
      Can diclofenac {} be used in asthma?
      How do I store aciclovir {}?
      How to use fusidic acid {}
      What is the price of ketoprofen {}?
      Can a child use hydrocortisone {}?
      How long does a course of clotrimazole {} last?
      Is chloramphenicol {} available without prescription?`),
    changes: p(`tablets → suspension
      gel → tablets
      cream → ointment
      eye drops → ear drops
      capsules → tablets
      modified-release tablets → tablets
      patch → tablets
      suppositories → tablets
      syrup → injection
      eye drops → eye ointment
      nasal spray → nasal drops
      inhaler → nebuliser
      cream → pessary
      dispersible tablets → tablets
      enteric coated tablets → tablets
      gel → cream
      lotion → shampoo
      XL → SR
      sachets → tablets
      liquid → capsules
      depot → tablets
      spacer → inhaler
      immediate release → modified release
      injection → infusion
      granules → powder
      mouthwash → lozenges`),
  },
  {
    slot: 'route',
    frames: p(`What is the dose of ondansetron {}?
      Can I give lorazepam {}?
      midazolam {} for a seizure
      How fast does morphine {} work?
      Vitamin K {} for a raised INR
      Is diazepam {} suitable at home?
      Give hydrocortisone {} now?
      metoclopramide {} in palliative care`),
    changes: p(`orally → intravenously
      IV → IM
      by mouth → subcutaneously
      PO → PR
      oral → rectal
      intramuscular → intravenous
      buccal → rectal
      sublingual → buccal
      intranasal → buccal
      nebulised → inhaled
      topical → oral
      subcut → IV
      intravenous → intraosseous
      vaginal gel → rectal gel
      transdermal → oral
      IM → SC
      by mouth → under the tongue
      intrathecal → intravenous
      per rectum → by mouth
      orally → sublingually
      rectally → vaginally
      inhaled → oral
      epidural → intrathecal
      intradermal → subcutaneous`),
  },
  {
    slot: 'frequency',
    frames: p(`amoxicillin 500 mg {} for a chest infection
      Is naproxen {} enough for gout?
      Can methotrexate be taken {}?
      omeprazole {} in pregnancy
      Should bisoprolol be given {}?
      nitrofurantoin 100 mg {} for cystitis
      alendronic acid {} instructions
      Pain relief with paracetamol {}`),
    changes: p(`once daily → twice daily
      bd → qds
      once a week → once daily
      every 4 hours → every 6 hours
      at night → in the morning
      three times daily → four times daily
      od → tds
      daily → weekly
      prn → regularly
      8 hourly → 12 hourly
      every other day → every day
      twice a day → twice a week
      q6h → q8h
      before food → with food
      on an empty stomach → with food
      once daily → three times daily
      monthly → weekly
      every 12 hours → every 24 hours
      stat → twice daily
      nightly → daily
      4 times a day → 5 times a day
      fortnightly → weekly
      up to twice daily → up to four times daily
      every 2 weeks → every 4 weeks
      in the evening → in the morning
      mane → nocte`),
  },
  {
    slot: 'duration',
    frames: p(`doxycycline {} for Lyme disease
      Cough {}, does she need a chest X-ray?
      Take prednisolone {}?
      Fever {} in a toddler
      Antibiotics {} for cellulitis
      Anticoagulation {} after a first DVT
      Low back pain {}: when to image?
      Can she stay on omeprazole {}?`),
    changes: p(`for 5 days → for 7 days
      for 3 weeks → for 3 days
      for 10 days → for 10 weeks
      for a week → for a month
      for 6 months → for 12 months
      for 2 days → 2 days ago
      for five days → for fifteen days
      for 24 hours → for 72 hours
      in 2 weeks → for 2 weeks
      for 3 to 5 days → for 5 to 7 days
      for more than 3 weeks → for less than 3 weeks
      for 1 year → for 2 years
      for 14 days → for 21 days
      every 3 days → for 3 days
      for 3 months → for 3 weeks
      within 4 hours → within 24 hours
      for 7 days → after 7 days
      for 48 hours → for 48 days
      for 2-3 days → for 2-3 weeks
      over 30 minutes → over 60 minutes
      for 6 weeks → for 8 weeks
      until 5 days → since 5 days
      for 5 days → for 5 doses
      for 4 weeks → for 4 days`),
  },
]
