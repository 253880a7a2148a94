// Owns the minimal changes of the illness: allergy, negation, direction, side, course.
import type { Changes } from './build.ts'

const p = (text: string): string[] => text.trim().split(/\s*\n\s*/)

export const illnessChanges: readonly Changes[] = [
  {
    slot: 'allergy',
    frames: p(`Antibiotic for cellulitis {}
      Tonsillitis treatment {}
      Can I give cefalexin {}?
      UTI in a woman {}
      Pneumonia {}: what to prescribe?
      Dental abscess {}
      Which painkiller for a patient {}?
      Vaccination {}`),
    changes: p(`with penicillin allergy → with cephalosporin allergy
      with penicillin allergy → 
      allergic to penicillin → not allergic to penicillin
      penicillin allergic → sulfonamide allergic
      with aspirin allergy → with ibuprofen allergy
      with no known drug allergies → with penicillin allergy
      with a history of anaphylaxis to penicillin → with a rash with penicillin
      allergic to eggs → allergic to nuts
      with latex allergy → without latex allergy
      with trimethoprim allergy → with nitrofurantoin allergy
      allergic to codeine → intolerant of codeine
      with macrolide allergy → with tetracycline allergy
      with NSAID allergy → with opioid allergy
      with egg allergy → with milk allergy
      allergic to amoxicillin → allergic to doxycycline
      with penicillin intolerance → with penicillin allergy
      with peanut allergy → 
      with contrast allergy → with gelatin allergy
      NKDA → penicillin allergy
      with lidocaine allergy → with latex allergy
      with mild penicillin allergy → with severe penicillin allergy
      allergic to statins → allergic to penicillin
      with allergy to clarithromycin → with allergy to erythromycin
      with an insect sting allergy → with a food allergy`),
  },
  {
    slot: 'negation',
    frames: p(`Headache {} neck stiffness
      Is it likely to be appendicitis {} fever?
      Child {} rash and a temperature
      Chest pain {} breathlessness
      Sore throat {} cough: antibiotics?
      Back pain {} red flags
      What if the patient has palpitations {} syncope?
      Diarrhoea {} blood in the stool`),
    changes: p(`with → without
      and → but no
      and → not
      with → and no
      with → in the absence of
      with known → with no known
      plus → never
      with → negative for
      with → with nil
      and → denies
      and also → neither
      has → has no
      showing → not showing
      and → or no
      with → lacking
      with → free of
      with definite → with unlikely
      with → except
      with → nor
      with some → with no
      with → ruled out
      having → not having
      with → absent
      with → w/o`),
  },
  {
    slot: 'direction',
    frames: p(`How to {} sertraline
      When should we {} warfarin?
      {} metoprolol in heart failure?
      Patient asks to {} amitriptyline
      Is it safe to {} lithium?
      Advice on how to {} prednisolone
      Criteria to {} statins
      {} the insulin dose?`),
    changes: p(`start → stop
      increase → decrease
      start → restart
      stop → continue
      double → halve
      reduce → increase
      hold → give
      begin → discontinue
      switch to → switch from
      add → remove
      withhold → continue
      up titrate → down titrate
      taper → increase
      initiate → withdraw
      step up → step down
      resume → stop
      change to → change from
      lower → raise
      start → start before surgery and stop
      cut down → keep taking
      pause → stop
      escalate → de-escalate
      put up → put down
      wean off → go on`),
  },
  {
    slot: 'side',
    frames: p(`What causes pain in the {} flank?
      {} leg swelling: which tests?
      {} arm weakness for an hour
      Differential diagnosis of {} abdominal pain
      Management of {} hearing loss
      {} eye redness and pain
      Numbness of the {} foot
      {} facial droop, when to refer?`),
    changes: p(`left → right
      unilateral → bilateral
      upper → lower
      right → both
      anterior → posterior
      medial → lateral
      left sided → right sided
      one → both
      proximal → distal
      right upper → right lower
      left lower → right lower
      internal → external
      central → peripheral
      left → 
      bilateral → left
      right → left
      both → left
      inner → outer
      left upper → left lower
      right-sided → left-sided
      bilateral → right
      front → back
      one sided → two sided
      lateral → bilateral`),
  },
  {
    slot: 'course',
    frames: p(`Treatment of {} pancreatitis
      First line for {} asthma
      When to refer {} sinusitis
      {} urticaria in a child
      How is {} bronchitis managed?
      {} hepatitis B blood results
      {} back pain exercises
      Monitoring of {} heart failure`),
    changes: p(`acute → chronic
      mild → severe
      stable → unstable
      acute → subacute
      moderate → severe
      acute → recurrent
      chronic → acute on chronic
      primary → secondary
      sudden → gradual
      active → latent
      persistent → intermittent
      benign → malignant
      mild → moderate
      new onset → chronic
      short-term → long-term
      severe → life-threatening
      complicated → uncomplicated
      congenital → acquired
      acute → 
      chronic → 
      severe → 
      relapsing → persistent
      compensated → decompensated
      early → late`),
  },
]
